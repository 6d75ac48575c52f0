import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chooseEvents, EVENT_IDS, LIFE, OTHER_ERROR, OTHER_WARNING } from "../../../../src/service/agent/events.ts";

/** Every constant message of an error in the code that the agent runs. */
function listErrors(): Set<string> {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => /^(core|host|service)\/.*\.ts$/.test(file));
  const texts = files.map((file) => readFileSync(join("src", file), "utf8"));
  return new Set(texts.flatMap((text) => [...text.matchAll(/\blog\.error\(\s*"([^"]+)"/g)].map(([, message = ""]) => message)));
}

test("every error that the agent logs has an id of its own, and there is no id for what is not logged", () => {
  const own = Object.keys(EVENT_IDS).filter((message) => !LIFE.includes(message) && message !== "agent not started");
  expect([...listErrors()].sort()).toEqual(own.sort());
  const ids = [...Object.values(EVENT_IDS), OTHER_ERROR, OTHER_WARNING];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => id >= 1 && id <= 1000)).toBe(true); // what EventCreate.exe has texts for
});

test("docs/agent.md lists every id with its message, and no other", () => {
  const rows = [...readFileSync("docs/agent.md", "utf8").matchAll(/^\| (\d+) \| `?([^|`]+)`? \|/gm)].map(([, id, message]) => [
    Number(id),
    message,
  ]);
  const known = Object.entries(EVENT_IDS).map(([message, id]) => [id, message]);
  expect(rows).toEqual([...known, [OTHER_ERROR, "any other error"], [OTHER_WARNING, "a warning"]]);
});

test.each([
  ["error", "error", "hns hangs", { kind: "error", id: 20 }],
  ["error", "error", "something new", { kind: "error", id: OTHER_ERROR }],
  ["error", "warn", "hns was started anew", undefined],
  ["warn", "warn", "hns was started anew", { kind: "warning", id: OTHER_WARNING }],
  ["error", "info", "agent ready", { kind: "information", id: 1 }],
  ["error", "info", "endpoint attached", undefined],
] as const)("with level %s a line of level %s, %j, is %j", (least, level, message, event) => {
  expect(chooseEvents(least)(level, message)).toEqual(event);
});
