/** The pods of a node as its runtime knows them. */
import type { AddResult, Pod } from "../cni-node.ts";
import { pick } from "./weather.ts";

/** live: its ADD succeeded and no DEL began · limbo: nobody knows what there is of it; a DEL is owed. */
export type PodState = "live" | "limbo";

export interface SoakPod extends Pod {
  /** CNI_ARGS. */
  readonly args: string;
  /** What its ADD said, while it is live. */
  result: AddResult | undefined;
  /** Whether the runtime has taken its namespace away. */
  isSandboxGone: boolean;
  /** Whether the agent may not have heard of its ADD, so that it cannot make the pod's endpoint again. */
  isUnknownToAgent: boolean;
  /** Whether HNS has lost its endpoint since the runtime was last told a MAC address: made again, it may have another one. */
  mayHaveNewMac: boolean;
  /** While a DEL runs beside its first ADD, which may then be refused. */
  isRaced: boolean;
}

/** Workers take pods out, so that each is in one hand, and put them back. */
export class Population {
  readonly #live = new Set<SoakPod>();
  readonly #limbo = new Set<SoakPod>();
  readonly #inHand = new Set<SoakPod>();
  /** Address to the pod that has it, from its ADD's success to the begin of its DEL. */
  readonly #holders = new Map<string, SoakPod>();

  get live(): readonly SoakPod[] {
    return [...this.#live];
  }

  get limbo(): readonly SoakPod[] {
    return [...this.#limbo];
  }

  /** What a runtime names to GC. */
  get all(): readonly SoakPod[] {
    return [...this.#live, ...this.#limbo, ...this.#inHand];
  }

  hold(pod: SoakPod): void {
    this.#inHand.add(pod);
  }

  takeLive(random: () => number): SoakPod | undefined {
    return this.#live.size === 0 ? undefined : this.#take(this.#live, pick(random, this.live));
  }

  takeLimbo(): SoakPod | undefined {
    const [pod] = this.#limbo;
    return pod === undefined ? undefined : this.#take(this.#limbo, pod);
  }

  release(pod: SoakPod, state: PodState | "gone"): void {
    this.#inHand.delete(pod);
    if (state === "live") this.#live.add(pod);
    if (state === "limbo") this.#limbo.add(pod);
  }

  /** Notes what an ADD gave; tells who has one of the addresses already. */
  own(pod: SoakPod, result: AddResult): string | undefined {
    pod.result = result;
    for (const address of addressesOf(result)) {
      const holder = this.#holders.get(address);
      if (holder !== undefined && holder !== pod) return `${address} was given to ${pod.containerId} while ${holder.containerId} has it`;
      this.#holders.set(address, pod);
    }
    return undefined;
  }

  /** From here on others may get its addresses. */
  disown(pod: SoakPod): void {
    for (const address of addressesOf(pod.result)) if (this.#holders.get(address) === pod) this.#holders.delete(address);
    pod.result = undefined;
  }

  /** The machine has started anew: no pod lives, and each is owed a DEL. Those in hand are told by `isSandboxGone`. */
  die(): void {
    for (const pod of this.live) {
      this.#live.delete(pod);
      this.#limbo.add(pod);
    }
    for (const pod of this.all) {
      this.disown(pod);
      pod.isSandboxGone = true;
    }
  }

  #take(from: Set<SoakPod>, pod: SoakPod): SoakPod {
    from.delete(pod);
    this.#inHand.add(pod);
    return pod;
  }
}

export function addressesOf(result: AddResult | undefined): string[] {
  return (result?.ips ?? []).map(({ address }) => address);
}
