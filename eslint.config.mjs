/** The rules that a machine can check; the others are in the project's style guide. */
import js from "@eslint/js";
import tseslint from "typescript-eslint";

const limits = {
  complexity: ["error", 10],
  "max-lines": ["error", 400],
  "max-params": ["error", 4],
};

export default tseslint.config(
  { ignores: ["node_modules", "dist", "build", "coverage", "src/core/config/generated", "**/testdata"] },
  {
    files: ["**/*.mjs"],
    extends: [js.configs.recommended],
    languageOptions: { globals: { process: "readonly", URL: "readonly", console: "readonly" } },
    rules: { ...limits, eqeqeq: "error" },
  },
  {
    files: ["**/*.ts"],
    ignores: ["**/*.d.mts"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      ...limits,
      eqeqeq: "error",
      "no-console": "error",
      "@typescript-eslint/explicit-function-return-type": ["error", { allowExpressions: true, allowTypedFunctionExpressions: true }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // Numbers read well inside templates; anything else must be turned into text on purpose.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
      // Data and files of the outside world are read through index signatures.
      "@typescript-eslint/dot-notation": "off",
      // Implementations of an asynchronous interface may have nothing to wait for.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // winston types what its transports are by an interface beside the class that they extend.
    files: ["src/service/agent/log.ts"],
    rules: { "@typescript-eslint/no-unsafe-class-instance-assignment": "off" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // The body of a describe is as long as its cases are many.
      "max-lines": ["error", 600],
      // Jest's matchers take methods of mocks, and take promises or not depending on the matcher.
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/explicit-function-return-type": "off",
      // Stand-ins for interfaces often have an empty method.
      "@typescript-eslint/no-empty-function": "off",
    },
  },
);
