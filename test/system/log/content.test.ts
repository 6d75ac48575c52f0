/** What the program's log says of a pod's life, and what it never says. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatorClient } from "../../emulator/client.ts";
import { packagedReason, type ProgramResult, runPackaged } from "../../support/packaged.ts";
import { emulatorLibrary } from "../../support/paths.ts";
import { describeUnless } from "../../support/skip.ts";

const SECRET = "hunter2-must-not-be-seen";
const CONTAINER = "c0ffee";

describeUnless(packagedReason(), "the log of the packaged program", () => {
  let emulator: EmulatorClient;
  let folder: string;
  let namespace: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hns-cni-log-"));
    emulator = await EmulatorClient.start();
    namespace = await emulator.createNamespace();
  });

  afterAll(async () => {
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function call(command: string, changes: Readonly<Record<string, unknown>> = {}): Promise<ProgramResult> {
    const config = {
      cniVersion: "1.1.0",
      name: "pods",
      type: "hns-cni",
      mode: "l2bridge",
      ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
      stateDir: folder,
      logLevel: "debug",
      capabilities: { portMappings: true, "io.kubernetes.cri.pod-annotations": true },
      runtimeConfig: {
        portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
        "io.kubernetes.cri.pod-annotations": { token: SECRET },
      },
      args: { cni: { labels: [{ key: "password", value: SECRET }] } },
      password: SECRET,
      ...changes,
    };
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: CONTAINER,
      CNI_NETNS: namespace,
      CNI_IFNAME: "eth0",
      CNI_PATH: "/opt/cni/bin",
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;PASSWORD=${SECRET}`,
      HNS_CNI_HCN_LIBRARY: emulatorLibrary,
      HNS_EMULATOR_ADDRESS: emulator.address,
      ACCESS_TOKEN: SECRET,
    };
    return runPackaged({ env, stdin: JSON.stringify(config) });
  }

  it("names the container in every line, says nothing on stderr, and never a value of annotations, arguments or unknown keys", async () => {
    const added = await call("ADD");
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(await call("CHECK", { prevResult: JSON.parse(added.stdout) as unknown })).toMatchObject({ code: 0, stderr: "", stdout: "" });
    await emulator.addFault({ call: "HcnDeleteEndpoint", kind: "fail", hresult: 0x80004005 });
    expect(await call("DEL")).toMatchObject({ code: 1, stderr: "" });
    await emulator.clearFaults();
    expect(await call("DEL")).toMatchObject({ code: 0, stderr: "", stdout: "" });
    const text = readFileSync(join(folder, "hns-cni.log"), "utf8");
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    expect(new Set(lines.map(({ container }) => container))).toEqual(new Set([CONTAINER]));
    expect(new Set(lines.map(({ command }) => command))).toEqual(new Set(["ADD", "CHECK", "DEL"]));
    expect(
      lines.filter((line) => typeof line["time"] !== "string" || typeof line["level"] !== "string" || typeof line["message"] !== "string"),
    ).toEqual([]);
    // The failure is told in full, and what was passed along for others is not.
    expect(lines.find(({ message }) => message === "failed")).toMatchObject({ level: "error", error: { hresult: "0x80004005" } });
    expect(text).not.toContain(SECRET);
  });
});
