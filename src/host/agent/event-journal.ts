import type { LogFields, LogLevel } from "../../core/base/log.ts";
import type { WindowsEvent } from "../windows/event-log.ts";

export interface EventJournalOptions {
  /** Rejects when the event cannot be written; may take any time. */
  readonly write: (event: WindowsEvent) => Promise<void>;
  /** Which event a line is; undefined for one that is none. */
  readonly eventOf: (level: LogLevel, message: string) => Pick<WindowsEvent, "kind" | "id"> | undefined;
  /** Time in which the same message makes one event, milliseconds. */
  readonly repeatMs: number;
}

interface Line {
  readonly event: Pick<WindowsEvent, "kind" | "id">;
  readonly message: string;
  readonly fields: LogFields;
}

/** Lines of one message since its last event. */
interface Repeats {
  count: number;
  last: Line | undefined;
  timer: NodeJS.Timeout;
}

/** ReportEvent takes less than 32 Ki characters; nobody reads more than a page. */
const TEXT_LENGTH = 8_000;
/** Events that wait for a service that hangs. */
const WAITING = 100;

/**
 * The agent's lines as events of Windows. The same message makes one event in `repeatMs`, and one more at the end of that time that tells how
 * many there were and shows the last. One event is written at a time; what cannot be written is lost, and nobody waits for it.
 */
export class EventJournal {
  readonly #options: EventJournalOptions;
  readonly #repeats = new Map<string, Repeats>();
  readonly #waiting: WindowsEvent[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: EventJournalOptions) {
    this.#options = options;
  }

  /** Never throws. */
  add(level: LogLevel, message: string, fields: LogFields): void {
    const event = this.#options.eventOf(level, message);
    if (event === undefined) return;
    const line = { event, message, fields };
    const repeats = this.#repeats.get(message);
    if (repeats !== undefined) {
      repeats.count++;
      repeats.last = line;
      return;
    }
    this.#repeats.set(message, { count: 0, last: undefined, timer: this.#startTimer(message) });
    this.#put(line, 0);
  }

  /** Returns once every line is written, those counted too, or after `ms`. */
  async flush(ms: number): Promise<void> {
    for (const [message, { timer }] of this.#repeats) {
      clearTimeout(timer);
      this.#tellRepeats(message);
    }
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([this.#writing, timeout]).finally(() => clearTimeout(timer));
  }

  #startTimer(message: string): NodeJS.Timeout {
    return setTimeout(() => this.#tellRepeats(message), this.#options.repeatMs).unref();
  }

  /** What was counted starts the next time in which it is counted. */
  #tellRepeats(message: string): void {
    const repeats = this.#repeats.get(message);
    this.#repeats.delete(message);
    if (repeats?.last === undefined) return;
    this.#repeats.set(message, { count: 0, last: undefined, timer: this.#startTimer(message) });
    this.#put(repeats.last, repeats.count);
  }

  #put({ event, message, fields }: Line, repeats: number): void {
    if (this.#waiting.length >= WAITING) return;
    this.#waiting.push({ ...event, text: describeEvent(message, fields, repeats) });
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      // Nothing is left to say so: agent.log has the line itself.
      await this.#options.write(next).catch(() => undefined);
    }
  }
}

/** For people: the message, then a fact a line. Exported for tests. */
export function describeEvent(message: string, fields: LogFields, repeats: number): string {
  const facts = Object.entries(fields).flatMap(([key, value]) => listFacts(key, value));
  const more = repeats === 0 ? [] : [`repeated: ${repeats} ${repeats === 1 ? "time" : "times"} since the last event, this is the last`];
  const text = [message, "", ...facts, ...more].join("\r\n").trimEnd().replaceAll("\0", "");
  // The viewer would put a text of the source in the place of %1.
  return text.replaceAll(/%(?=\d)/g, "% ").slice(0, TEXT_LENGTH);
}

function listFacts(key: string, value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
    return [`${key}: ${text}`];
  }
  return Object.entries(value).flatMap(([name, inner]) => listFacts(`${key}.${name}`, inner));
}
