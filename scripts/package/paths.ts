/** Where the build reads and writes; every path is absolute. */
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export const paths = {
  build: join(root, "build"),
  dist: join(root, "dist"),
  generated: join(root, "src/core/config/generated"),
  linux: join(root, "dist/linux-x64"),
  windows: join(root, "dist/win-x64"),
  emulator: join(root, "dist/emulator"),
} as const;
