import { PluginError } from "../../../../src/core/base/errors.ts";
import { parseAgentConfig } from "../../../../src/service/agent/config.ts";

const PATH = "/etc/hns-cni/agent.json";

function faultOf(text: string): string {
  try {
    parseAgentConfig(text, PATH);
  } catch (thrown) {
    if (thrown instanceof PluginError && thrown.code === "INVALID_CONFIG") return thrown.message;
    throw thrown;
  }
  throw new Error("the configuration was taken");
}

describe("agent.json", () => {
  test("an empty one gives every default", () => {
    expect(parseAgentConfig("", PATH)).toEqual({
      logLevel: "info",
      drainSeconds: 20,
      eventLog: { enabled: true, level: "error", repeatSeconds: 60 },
      metrics: { enabled: true, port: 9464 },
      hns: { unansweredLimit: 3, restSeconds: 10, abandonedLimit: 12, callback: true, pollSeconds: 2, callbackPollSeconds: 30 },
      reconcile: { enabled: true, dryRun: false, intervalSeconds: 60, graceSeconds: 60 },
      cniConf: { name: "10-hns-cni.conflist", removeOnStop: false },
    });
    expect(parseAgentConfig("{}", PATH)).toEqual(parseAgentConfig("", PATH));
  });

  test("what is written stands beside the defaults", () => {
    const config = parseAgentConfig('{"logLevel":"debug","hns":{"restSeconds":0.5},"stateDir":"C:\\\\state"}', PATH);
    expect(config).toMatchObject({ logLevel: "debug", stateDir: "C:\\state", hns: { restSeconds: 0.5, unansweredLimit: 3 } });
  });

  test.each([
    ['{"logLevel":"loud"}', 'logLevel is "loud": must be one of error, warn, info, debug'],
    ['{"drainSeconds":-1}', "drainSeconds is -1: must be >= 0"],
    ['{"metrics":{"port":70000}}', "metrics.port is 70000: must be <= 65535"],
    ['{"metrics":{"port":"9464"}}', 'metrics.port is "9464": must be integer'],
    ['{"hns":{"unansweredLimit":0}}', "hns.unansweredLimit is 0: must be >= 1"],
    ['{"stateDir":"state"}', 'stateDir is "state": must match pattern'],
    ['{"cniConf":{"name":"../x.conflist"}}', 'cniConf.name is "../x.conflist": must match pattern'],
    ['{"reconsile":{}}', "reconsile is no known key"],
    ['{"hns":{"limit":3}}', "hns.limit is no known key"],
    ["[]", "the document is []: must be object"],
    ['{"a', `${PATH} is no JSON`],
  ])("%s is refused, naming key and value", (text, message) => {
    expect(faultOf(text)).toContain(message);
  });

  test("every fault is told at once", () => {
    const message = faultOf('{"logLevel":"loud","drainSeconds":-1,"x":1}');
    expect(message).toContain(`${PATH} has 3 faults: `);
    for (const part of ["logLevel is", "drainSeconds is", "x is no known key"]) expect(message).toContain(part);
  });
});
