/** The agent as a service of Windows, under Wine: installed, started, asked through its pipe by plugin, shim and command line, stopped, taken away. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { relayDefaultPort } from "../../support/default-port.ts";
import { windowsShimProgram } from "../../support/paths.ts";
import { CniNode, parseDocument } from "../../support/cni-node.ts";
import { endpointsOf, expectNothingLeft } from "../../support/leftovers.ts";
import { START_MS, windows, type CniProgram } from "../../support/programs.ts";
import { windowsPath } from "../../support/shim-wine.ts";
import { describeUnless } from "../../support/skip.ts";
import { keepWineUp, runUnderWine, startWine, type WineMachine, type WineResult } from "../../support/wine.ts";

jest.setTimeout(240_000);

const EVENT_SOURCE = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\hns-cni";

describeUnless(windows.reason, "the agent as a service of Windows (Wine)", () => {
  let folder: string;
  let machine: WineMachine;
  let node: CniNode;
  let closeRelay: () => Promise<void> = () => Promise.resolve();
  let letWineGo: () => Promise<void> = () => Promise.resolve();

  const cli = (...args: string[]): Promise<WineResult> => runUnderWine(machine, { args, timeoutMs: 120_000 });
  const published = (): string => join(folder, "net.d", "10-hns-cni.conflist");

  beforeAll(async () => {
    machine = await startWine();
    letWineGo = keepWineUp(machine);
    node = await CniNode.start(windows);
    closeRelay = await relayDefaultPort(node.emulator.address);
    folder = mkdtempSync(join(tmpdir(), "hns-cni-service-"));
    mkdirSync(join(folder, "net.d"));
    writeFileSync(join(folder, "conf"), JSON.stringify(node.list));
    const cniConf = { source: windowsPath(join(folder, "conf")), folder: windowsPath(join(folder, "net.d")), removeOnStop: true };
    // Whatever is repaired is so because HNS's callback told: no poll comes.
    const hns = { pollSeconds: 86_400, callbackPollSeconds: 86_400 };
    const reconcile = { intervalSeconds: 86_400, graceSeconds: 0 };
    const config = { stateDir: windowsPath(node.stateDir), metrics: { enabled: false }, cniConf, hns, reconcile };
    writeFileSync(join(folder, "agent.json"), JSON.stringify(config));
  }, START_MS);

  afterAll(async () => {
    await cli("agent", "uninstall");
    await letWineGo();
    await closeRelay();
    await node.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const agentLog = (): Record<string, unknown>[] => {
    const lines = readFileSync(join(node.stateDir, "agent.log"), "utf8")
      .split("\n")
      .filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it("is installed with its pool of threads, and installed again changes it", async () => {
    const env = ["--env", "EXAMPLE=a value"];
    const config = ["--config", windowsPath(join(folder, "agent.json"))];
    expect(await cli("agent", "install", ...config, ...env)).toMatchObject({
      code: 0,
      stdout: "the service hns-cni is installed; hns-cni agent start starts it now\n",
      stderr: "",
    });
    expect(await cli("agent", "install", ...config, ...env)).toMatchObject({ code: 0, stderr: "" });
    const key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\hns-cni";
    const { stdout } = await runUnderWine(machine, { exe: "reg.exe", args: ["query", key] });
    expect(stdout).toMatch(/\bEnvironment +REG_MULTI_SZ +UV_THREADPOOL_SIZE=32\\0EXAMPLE=a value/);
    expect(stdout).toMatch(/\bImagePath +REG_\w+ +"Z:[^"]+hns-cni\.exe" agent --service --config Z:\S+agent\.json/);
    expect(stdout).toMatch(/\bStart +REG_DWORD +0x2/);
    const source = await runUnderWine(machine, { exe: "reg.exe", args: ["query", EVENT_SOURCE] });
    expect(source.stdout).toMatch(/\bEventMessageFile +REG_EXPAND_SZ +%SystemRoot%\\System32\\EventCreate\.exe\r?\n/);
    expect(source.stdout).toMatch(/\bTypesSupported +REG_DWORD +0x7\b/);
    const status = await cli("agent", "status");
    expect(status).toMatchObject({ code: 1, stdout: "service  stopped\nagent    none listens\n" });
  });

  it("starts, secures its pipe, and then publishes the configuration", async () => {
    expect(await cli("agent", "start")).toMatchObject({ code: 0, stderr: "" });
    let status = await cli("agent", "status");
    while (status.code !== 0) status = await cli("agent", "status");
    expect(status.stdout).toMatch(/^service {2}running\nagent {4}ready\n/);
    const messages = agentLog().map(({ message }) => message);
    expect(messages.filter((message) => message === "pipe secured" || message === "cni configuration published")).toEqual([
      "pipe secured",
      "cni configuration published",
    ]);
    const rights = agentLog().find(({ message }) => message === "pipe secured")?.["rights"];
    expect(rights).toMatch(/^D:P?\(A;;\w+;;;SY\)\(A;;\w+;;;BA\)$/);
    expect(JSON.parse(readFileSync(published(), "utf8"))).toEqual(node.list);
  });

  it("does what the plugin and the shim are told, in one engine", async () => {
    const shim: CniProgram = { ...windows, run: ({ env, stdin }) => runUnderWine(machine, { exe: windowsShimProgram, env, stdin }) };
    const overShim = new CniNode(shim, node.emulator, node.list, node.stateDir);
    const pod = await node.makePod();
    const result = await overShim.add(pod);
    expect(await node.add(pod)).toEqual(result);
    const done = agentLog().filter(({ message, container }) => message === "done" && container === pod.containerId);
    expect(done).toHaveLength(2);
    await overShim.callSilently("CHECK", pod, { prevResult: result });
    expect(parseDocument(await overShim.run({ ...node.list, cniVersion: "1.1.0" }, { CNI_COMMAND: "VERSION" }))).toHaveProperty(
      "supportedVersions",
    );
    const shown = await cli("status");
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^agent {5}ready \(service running\)[^]*\nHNS {7}answers[^]*\npods {6}1 attached\n/);
    await overShim.callSilently("DEL", pod);
    await overShim.callSilently("DEL", pod);
  });

  it("is told by HNS's callback, on a thread of HNS's library, that HNS was started anew", async () => {
    const told = (message: string): number => agentLog().filter((line) => line["message"] === message).length;
    const pod = await node.makePod();
    await node.add(pod);
    for (let i = 1; i <= 2; i++) {
      while (told("hns callback registered") < i) await cli("version");
      await node.emulator.restart({ loseEndpoints: true });
      while (told("endpoint made again") < i) await cli("version");
    }
    expect(await endpointsOf(node, pod)).toHaveLength(1);
    await node.callSilently("DEL", pod);
  });

  it("stops, takes the configuration away, and leaves a state that is whole", async () => {
    expect(await cli("agent", "stop")).toMatchObject({ code: 0, stderr: "" });
    expect(await cli("agent", "status")).toMatchObject({ code: 1, stdout: "service  stopped\nagent    none listens\n" });
    expect(() => readFileSync(published())).toThrow("ENOENT");
    expect(agentLog().map(({ message }) => message)).toContain("agent ends");
    await expectNothingLeft(node);
  });

  it("is taken away, and a plugin works alone again", async () => {
    expect(await cli("agent", "uninstall")).toMatchObject({ code: 0, stdout: "the agent is no service any more\n" });
    expect(await cli("agent", "uninstall")).toMatchObject({ code: 0, stdout: "the agent was no service\n" });
    expect((await runUnderWine(machine, { exe: "reg.exe", args: ["query", EVENT_SOURCE] })).code).toBe(1);
    const pod = await node.makePod();
    await node.add(pod);
    await node.callSilently("DEL", pod);
  });

  describe("writes to the event log, which Wine shows on standard error,", () => {
    /** Runs the agent in the foreground to its end; gives its exit code and the texts of its events in order. */
    async function runAgent(config: object): Promise<{ code: number | null; events: string[] }> {
      const file = join(folder, "events.json");
      writeFileSync(file, JSON.stringify({ stateDir: windowsPath(join(folder, "state")), metrics: { enabled: false }, ...config }));
      const env = { WINEDEBUG: "-all,+eventlog", HNS_EMULATOR_ADDRESS: node.emulator.address };
      const args = ["agent", "--quiet", "--config", windowsPath(file)];
      const { code, stderr } = await runUnderWine(machine, { args, env, timeoutMs: 120_000 });
      // A TRACE for information, an ERR for an error; Wine writes the text as C would.
      const texts = [...stderr.matchAll(/(trace|err):eventlog:ReportEventW L"((?:[^"\\]|\\.)*)"/g)];
      return { code, events: texts.map(([, level = "", text = ""]) => `${level} ${text.replaceAll("\\r\\n", "|")}`) };
    }

    it("why it did not start", async () => {
      const { code, events } = await runAgent({ nope: 1 });
      expect({ code, events }).toEqual({
        code: 1,
        events: [expect.stringMatching(/^err agent not started\|\|reason: .*events\.json has 1 fault: nope is no known key/) as string],
      });
    });

    it("that it started, and why it ended itself", async () => {
      await node.emulator.addFault({ call: "HcnRegisterServiceCallback", kind: "hang" });
      const { code, events } = await runAgent({ hns: { abandonedLimit: 1 } });
      await node.emulator.clearFaults();
      expect(code).toBe(75);
      expect(events).toEqual([
        expect.stringMatching(/^trace agent ready\|\|stateDir: /) as string,
        "err too many calls stuck in hns, ending to be started anew||abandoned: 1|limit: 1",
      ]);
    });

    it("nothing where it is not wanted", async () => {
      await node.emulator.addFault({ call: "HcnRegisterServiceCallback", kind: "hang" });
      const { code, events } = await runAgent({ hns: { abandonedLimit: 1 }, eventLog: { enabled: false } });
      await node.emulator.clearFaults();
      expect({ code, events }).toEqual({ code: 75, events: [] });
    });
  });
});
