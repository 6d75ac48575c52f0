import type { LogLevel } from "../../core/base/log.ts";
import type { WindowsEvent } from "../../host/windows/event-log.ts";

type Event = Pick<WindowsEvent, "kind" | "id">;

/** Windows' events of the agent, by the constant message of its log line. An id keeps its meaning for ever; docs/agent.md lists them. */
export const EVENT_IDS: Readonly<Record<string, number>> = {
  "agent ready": 1,
  "agent ends": 2,
  "agent not started": 3,
  "too many calls stuck in hns, ending to be started anew": 4,
  "cni configuration not published": 10,
  "cni configuration not withdrawn": 11,
  "another cni configuration comes first": 12,
  "metrics not served": 13,
  "hns hangs": 20,
  "look at hns failed": 21,
  "look at hns given up": 22,
  "repair failed": 23,
  failed: 30,
  "attach not taken back": 31,
  "endpoint not taken back": 32,
  "attachment not settled": 33,
  "address not given back to the IPAM plugin": 34,
  "lease not given up": 35,
  "state damaged, setting it aside": 40,
};
/** Lines of no own id. */
export const OTHER_ERROR = 100;
export const OTHER_WARNING = 101;

/** Start and end of the agent, which are no errors and belong there all the same. */
export const LIFE: readonly string[] = ["agent ready", "agent ends"];

/** Whose lines become events: all errors, warnings too where they are wanted, and the agent's start and end. */
export function chooseEvents(least: "error" | "warn"): (level: LogLevel, message: string) => Event | undefined {
  return (level, message) => {
    if (level === "error") return { kind: "error", id: EVENT_IDS[message] ?? OTHER_ERROR };
    if (level === "warn") return least === "warn" ? { kind: "warning", id: OTHER_WARNING } : undefined;
    return LIFE.includes(message) ? { kind: "information", id: EVENT_IDS[message] ?? OTHER_ERROR } : undefined;
  };
}
