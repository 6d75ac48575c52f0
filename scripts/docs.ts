/**
 * Writes the documentation that is made from sources: docs/configuration.md and the table of docs/agent.md from their schemas, the tables of
 * docs/drop-in.md from the translation tables. The tests hold both in step.
 *
 *   node scripts/docs.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { replaceAgentKeys } from "./docs/agent.ts";
import { renderConfiguration } from "./docs/configuration.ts";
import { replaceTables } from "./docs/drop-in.ts";

writeFileSync("docs/agent.md", replaceAgentKeys(readFileSync("docs/agent.md", "utf8")));
writeFileSync("docs/configuration.md", renderConfiguration());
writeFileSync("docs/drop-in.md", replaceTables(readFileSync("docs/drop-in.md", "utf8")));
