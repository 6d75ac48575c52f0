import type { CliWorld } from "../../../src/cli/world.ts";

/** A machine for commands: its files, its stdin, and what was written. */
export class FakeWorld implements CliWorld {
  readonly version = "1.2.3";
  readonly nodeVersion = "24.0.0";
  readonly platform = "win32-x64";
  readonly defaultStateDir = "C:\\ProgramData\\hns-cni";
  readonly #files: Readonly<Record<string, string>>;
  out = "";
  error = "";

  /** The file "-" is stdin. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    this.#files = files;
  }

  readonly joinPath = (folder: string, file: string): string => `${folder}\\${file}`;

  readonly readFile = (path: string): string => {
    const text = this.#files[path];
    if (text === undefined) throw new Error("ENOENT: no such file");
    return text;
  };

  readonly readStdin = (): string => this.readFile("-");

  readonly writeOut = (text: string): void => void (this.out += text);

  readonly writeError = (text: string): void => void (this.error += text);
}
