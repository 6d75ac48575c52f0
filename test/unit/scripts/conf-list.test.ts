import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPluginInput, readConfList } from "../../../scripts/demo/conf-list.ts";

const list = {
  cniVersion: "1.1.0",
  name: "pods",
  plugins: [{ type: "hns-cni", capabilities: { portMappings: true, dns: false }, mode: "l2bridge" }],
};
const [plugin = { type: "" }] = list.plugins;

describe("reading a configuration list out of Markdown", () => {
  const folder = mkdtempSync(join(tmpdir(), "conf-list-"));
  const file = join(folder, "README.md");
  afterAll(() => rmSync(folder, { recursive: true }));

  it("takes the first JSON block with plugins", () => {
    writeFileSync(file, `text\n\`\`\`json\n{"other": 1}\n\`\`\`\n\`\`\`json\n${JSON.stringify(list, null, 2)}\n\`\`\`\n`);
    expect(readConfList(file)).toEqual(list);
  });

  it("refuses a page that shows none", () => {
    writeFileSync(file, '```json\n{"plugins": []}\n```\n');
    expect(() => readConfList(file)).toThrow("shows no configuration list");
  });
});

describe("what a runtime gives the plugin", () => {
  it("is the plugin's object with the list's name and version and only the declared capabilities", () => {
    const runtimeConfig = { portMappings: [{ hostPort: 80 }], dns: { servers: [] }, bandwidth: {} };
    expect(buildPluginInput(list, plugin, { runtimeConfig })).toEqual({
      ...plugin,
      cniVersion: "1.1.0",
      name: "pods",
      runtimeConfig: { portMappings: [{ hostPort: 80 }] },
    });
  });

  it("has no runtimeConfig when nothing is declared, and the earlier result when there is one", () => {
    const input = buildPluginInput(list, { type: "x" }, { runtimeConfig: { dns: {} }, prevResult: { ips: [] } });
    expect(input).toEqual({ type: "x", cniVersion: "1.1.0", name: "pods", prevResult: { ips: [] } });
  });
});
