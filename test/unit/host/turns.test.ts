import { type Stage, Turns } from "../../../src/host/exec/turns.ts";

const LONG_MS = 60_000;

/** Waits in line and notes when it is served. */
async function stand(turns: Turns, stage: Stage, served: string[], name: string): Promise<void> {
  if ((await turns.take(stage, LONG_MS)) !== false) served.push(name);
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

it("gives as many turns at once as there are, and the next one when one comes back", async () => {
  const turns = new Turns(2);
  expect([turns.take("begin", LONG_MS), turns.take("begin", LONG_MS)]).toEqual([undefined, undefined]);
  const third = turns.take("begin", LONG_MS);
  turns.give();
  expect(await third).toBe(true);
  turns.give();
  turns.give();
  expect([turns.take("end", LONG_MS), turns.take("end", LONG_MS)]).toEqual([undefined, undefined]);
});

it("serves what ends before what goes on, that before what is made, and what begins last; within each in order of arrival", async () => {
  const turns = new Turns(1);
  void turns.take("begin", LONG_MS);
  const served: string[] = [];
  const line = (["begin", "make", "go on", "begin", "end", "make"] as const).map((stage, at) =>
    stand(turns, stage, served, `${stage} ${at}`),
  );
  for (let left = line.length; left > 0; left--) {
    turns.give();
    await settle();
  }
  await Promise.all(line);
  expect(served).toEqual(["end 4", "go on 2", "make 1", "make 5", "begin 0", "begin 3"]);
});

it("who loses patience gets none, and is passed over", async () => {
  const turns = new Turns(1);
  void turns.take("begin", LONG_MS);
  expect(await turns.take("end", 1)).toBe(false);
  const next = turns.take("begin", LONG_MS);
  turns.give();
  expect(await next).toBe(true);
});

it("without a limit nobody waits", () => {
  const turns = new Turns(Infinity);
  expect(Array.from({ length: 1000 }, () => turns.take("begin", 0)).every((turn) => turn === undefined)).toBe(true);
});
