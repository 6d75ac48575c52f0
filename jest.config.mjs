/** One configuration for all suites; scripts/test.mjs picks folders. */
export default {
  rootDir: ".",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/dist/"],
  modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/build/"],
  transform: {
    "\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2024" }, module: { type: "commonjs" } }],
  },
  testEnvironment: "node",
  maxWorkers: 2,
  testTimeout: 60_000,
};
