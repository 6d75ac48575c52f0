/**
 * A process that lives long and takes and gives back addresses. Its order comes as the one argument; what it did goes to the order's
 * file, one JSON object a line, each by a single append, so that a process that is killed has told all it did. A dot on stdout a step.
 */
import { appendFileSync, writeSync } from "node:fs";
import { type LogEntry, now } from "./address-log.ts";
import { type AddressCalls, buildCrowdInput, withAddresses } from "./address-process.ts";
import { createRandom } from "./random.ts";

export interface WorkerOrder {
  readonly name: string;
  readonly stateDir: string;
  readonly cidr: string;
  readonly log: string;
  readonly seed: number;
  /** Addresses to take, and to give back. */
  readonly rounds: number;
  /** Most addresses held from one step to the next. */
  readonly mostHeld: number;
  /** Containers of a process that was killed, to be given back first. */
  readonly inherited: readonly string[];
}

async function work(order: WorkerOrder, calls: AddressCalls): Promise<void> {
  const random = createRandom(order.seed);
  const held: string[] = [];
  const giveOne = async (): Promise<void> => {
    const [container] = held.splice(Math.floor(random() * held.length), 1);
    if (container !== undefined) await give(order, calls, container);
  };
  for (const container of order.inherited) await give(order, calls, container);
  for (let taken = 0, asked = 0; taken < order.rounds; asked++) {
    const container = `${order.name}-${asked}`;
    if (await take(order, calls, container)) {
      taken += 1;
      held.push(container);
    } else await giveOne();
    const most = Math.floor(random() * (order.mostHeld + 1));
    while (held.length > most) await giveOne();
  }
  while (held.length > 0) await giveOne();
}

async function take(order: WorkerOrder, calls: AddressCalls, container: string): Promise<boolean> {
  note(order, { what: "asking", container });
  const address = await calls.add(container);
  note(order, address === undefined ? { what: "exhausted", container } : { what: "got", container, address });
  return address !== undefined;
}

async function give(order: WorkerOrder, calls: AddressCalls, container: string): Promise<void> {
  note(order, { what: "giving", container });
  await calls.del(container);
  note(order, { what: "gave", container });
}

function note({ log }: WorkerOrder, entry: Omit<LogEntry, "at">): void {
  appendFileSync(log, `${JSON.stringify({ at: now(), ...entry })}\n`);
  writeSync(1, ".");
}

const order = JSON.parse(process.argv[2] ?? "{}") as WorkerOrder;
withAddresses(buildCrowdInput(order.stateDir, order.cidr), (calls) => work(order, calls)).catch((thrown: unknown) => {
  const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  note(order, { what: "failed", container: order.name, error });
  process.exitCode = 1;
});
