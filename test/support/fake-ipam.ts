import { PluginError } from "../../src/core/base/errors.ts";
import type { DelegateCommand, DelegateOutput, DelegateProgram } from "../../src/core/engine/delegate.ts";

/** What one call of the fake is to do in place of its work. */
export type Mishap =
  | { readonly kind: "answer"; readonly output: DelegateOutput }
  /** It does its work, and nobody hears of it. */
  | { readonly kind: "timeout" }
  /** Our own program is killed once it has done its work. */
  | { readonly kind: "kill-caller"; readonly kill: () => unknown };

/** An IPAM plugin in memory with host-local's habits: one address a container, a second ADD is refused, DEL of an unknown one succeeds. */
export class FakeIpam {
  readonly held = new Map<string, string>();
  readonly calls: string[] = [];
  /** The result of ADD, in which ADDRESS stands for the address. */
  answer: object = {
    cniVersion: "1.1.0",
    ips: [{ address: "ADDRESS/24", gateway: "10.244.3.1" }],
    routes: [{ dst: "0.0.0.0/0" }, { dst: "192.168.0.0/16", gw: "10.244.3.9" }],
    dns: { nameservers: ["10.0.0.53"], options: ["ndots:2"] },
  };
  next = 7;
  #mishaps: { command: DelegateCommand; mishap: Mishap }[] = [];

  /** The next call of `command` goes wrong. */
  fail(command: DelegateCommand, mishap: Mishap): void {
    this.#mishaps.push({ command, mishap });
  }

  /** The program as one call for `container` sees it. */
  program(container: string): DelegateProgram {
    return { type: "fake-ipam", run: (command, { variables }) => this.#run(command, variables["CNI_CONTAINERID"] ?? container) };
  }

  async #run(command: DelegateCommand, owner: string): Promise<DelegateOutput> {
    this.calls.push(command === "GC" || command === "STATUS" ? command : `${command} ${owner}`);
    const mishap = this.#takeMishap(command);
    if (mishap?.kind === "answer") return mishap.output;
    const output = this.#work(command, owner);
    if (mishap?.kind === "timeout") throw new PluginError("OPERATION_TIMEOUT", { message: "too late" });
    if (mishap?.kind !== "kill-caller") return output;
    mishap.kill();
    return new Promise<never>(() => undefined);
  }

  #takeMishap(command: DelegateCommand): Mishap | undefined {
    const at = this.#mishaps.findIndex((entry) => entry.command === command);
    return at < 0 ? undefined : this.#mishaps.splice(at, 1)[0]?.mishap;
  }

  #work(command: DelegateCommand, owner: string): DelegateOutput {
    if (command === "DEL") this.held.delete(owner);
    if (command !== "ADD") return { exitCode: 0, stdout: "" };
    if (this.held.has(owner)) return refusal(999, "duplicate allocation is not allowed");
    const address = `10.244.3.${this.next++}`;
    this.held.set(owner, address);
    return { exitCode: 0, stdout: JSON.stringify(this.answer).replaceAll("ADDRESS", address) };
  }
}

export function refusal(code: number, msg: string): DelegateOutput {
  return { exitCode: 1, stdout: JSON.stringify({ cniVersion: "1.1.0", code, msg }) };
}
