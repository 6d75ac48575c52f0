/** JSON schema of agent.json. Every key has a default; docs/agent.md is held in step with it by a test. */
export const AGENT_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    stateDir: { type: "string", pattern: "^([A-Za-z]:[\\\\/]|\\\\\\\\|/)", description: "Folder of state.db, agent.lock and agent.log." },
    logLevel: {
      type: "string",
      enum: ["error", "warn", "info", "debug"],
      default: "info",
      description: "Least urgent level that is logged.",
    },
    drainSeconds: {
      type: "number",
      minimum: 0,
      maximum: 600,
      default: 20,
      description: "How long calls under way, and a look at HNS, may go on when the agent stops.",
    },
    eventLog: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        enabled: { type: "boolean", default: true, description: "Write errors, start and end to Windows' event log too." },
        level: { type: "string", enum: ["error", "warn"], default: "error", description: "Least urgent level that becomes an event." },
        repeatSeconds: {
          type: "number",
          minimum: 1,
          maximum: 86400,
          default: 60,
          description: "Time in which the same message makes one event, and one more that counts.",
        },
      },
    },
    metrics: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        enabled: { type: "boolean", default: true, description: "Serve /metrics, /healthz and /readyz on 127.0.0.1." },
        port: { type: "integer", minimum: 0, maximum: 65535, default: 9464, description: "Port; 0 lets the system choose." },
      },
    },
    hns: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        unansweredLimit: {
          type: "integer",
          minimum: 1,
          maximum: 100,
          default: 3,
          description: "Calls in a row without an answer after which HNS counts as hanging.",
        },
        restSeconds: {
          type: "number",
          minimum: 0.1,
          maximum: 600,
          default: 10,
          description: "How long a hanging HNS is left alone before a call tries it again.",
        },
        abandonedLimit: {
          type: "integer",
          minimum: 1,
          maximum: 1000,
          default: 12,
          description:
            "Calls given up and not returned with which the agent ends itself to be started anew; fewer where it makes fewer at a time.",
        },
        callback: { type: "boolean", default: true, description: "Let HNS tell by its callback when it goes away." },
        pollSeconds: {
          type: "number",
          minimum: 1,
          maximum: 86400,
          default: 2,
          description: "How often it is asked whether HNS was started anew, while no callback stands.",
        },
        callbackPollSeconds: {
          type: "number",
          minimum: 1,
          maximum: 86400,
          default: 30,
          description: "The same while the callback stands, in case it says nothing.",
        },
      },
    },
    reconcile: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        enabled: {
          type: "boolean",
          default: true,
          description: "Compare HNS with the state at start, when HNS restarts, and at intervals.",
        },
        dryRun: { type: "boolean", default: false, description: "Report what would be done and do nothing." },
        intervalSeconds: { type: "number", minimum: 1, maximum: 86400, default: 60, description: "Time between two looks." },
        graceSeconds: {
          type: "number",
          minimum: 0,
          maximum: 86400,
          default: 60,
          description: "Age below which nothing counts as an orphan.",
        },
      },
    },
    cniConf: {
      type: "object",
      additionalProperties: false,
      default: {},
      properties: {
        source: {
          type: "string",
          minLength: 1,
          description: "Conflist that is put into `folder` once the agent is ready; without it none is.",
        },
        folder: { type: "string", minLength: 1, description: "The runtime's CNI configuration folder; default containerd's." },
        name: {
          type: "string",
          pattern: "^[^/\\\\:]+\\.(conf|conflist|json)$",
          default: "10-hns-cni.conflist",
          description: "File name there.",
        },
        removeOnStop: {
          type: "boolean",
          default: false,
          description: "Take the file away when the agent stops, so that no pod is sent here.",
        },
      },
    },
  },
} as const;
