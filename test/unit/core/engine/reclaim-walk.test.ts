/** HNS_CNI_LONG=1 takes more steps; HNS_CNI_SEED another way. */
import { findGuid } from "../../../../src/core/base/ids.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { EngineFixture } from "../../../support/engine-fixture.ts";
import { createRandom } from "../../../support/random.ts";
import { GRACE_MS, lose, reclaim, states } from "./reclaim-kit.ts";

const isLong = process.env["HNS_CNI_LONG"] === "1";
const seed = Number(process.env["HNS_CNI_SEED"] ?? 20_260_816);
const STEPS = isLong ? 20_000 : 1_500;

interface Pod {
  readonly request: AttachRequest;
  /** Looks in a row that met it without endpoint and namespace; undefined while it is whole. */
  lost: number | undefined;
}

/** A node whose pods come, go, and are lost by HNS, and what must hold after every look. */
class Walk {
  readonly counts: Record<string, number> = {};
  readonly #node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/27", waitSeconds: 0, cooldownSeconds: 10 } } });
  readonly #random: () => number;
  readonly #pods = new Map<string, Pod>();
  #boots = 1;
  #next = 1;

  constructor(random: () => number) {
    this.#random = random;
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await this.#step();
      this.#expectLivingKept();
    }
    this.#node.close();
  }

  async #step(): Promise<void> {
    const pick = this.#random();
    if (pick < 0.3) await this.#attach();
    else if (pick < 0.4) await this.#detach();
    else if (pick < 0.55) this.#lose();
    else if (pick < 0.6) this.#loseHalf();
    else if (pick < 0.63) await this.#reboot();
    else if (pick < 0.7) await this.#failAtHns();
    else await this.#look();
  }

  #count(step: string): void {
    this.counts[step] = (this.counts[step] ?? 0) + 1;
  }

  async #attach(): Promise<void> {
    const again = this.#random() < 0.3 ? this.#choose((pod) => pod.lost !== undefined) : undefined;
    if (again === undefined && this.#pods.size >= 20) return;
    this.#count(again === undefined ? "attach" : "attach again");
    const request = this.#node.pod(again?.request.containerId ?? `c${this.#next++}`);
    await this.#node.add(request);
    this.#pods.set(request.containerId, { request, lost: undefined });
  }

  async #detach(): Promise<void> {
    const pod = this.#choose(() => true);
    if (pod === undefined) return;
    this.#count("detach");
    await this.#node.del(pod.request);
    this.#pods.delete(pod.request.containerId);
  }

  #lose(): void {
    const pod = this.#choose(({ lost }) => lost === undefined);
    if (pod === undefined) return;
    this.#count("lose");
    lose(this.#node, pod.request);
    pod.lost = 0;
  }

  /** One of endpoint and namespace alone: no leak. */
  #loseHalf(): void {
    const pod = this.#choose(({ lost }) => lost === undefined);
    if (pod === undefined) return;
    this.#count("lose half");
    const what = this.#random() < 0.5 ? "endpoint" : "namespace";
    lose(this.#node, pod.request, what);
    if (this.#isGone(pod.request)) pod.lost = 0;
  }

  /** HNS forgets the endpoints that were in namespaces, or keeps all. */
  async #reboot(): Promise<void> {
    this.#count("reboot");
    this.#node.clock.reboot(`boot-${++this.#boots}`);
    if (this.#random() < 0.5) return;
    for (const pod of this.#pods.values()) {
      lose(this.#node, pod.request);
      pod.lost ??= 0;
    }
  }

  async #failAtHns(): Promise<void> {
    if (this.#pods.size === 0) return;
    this.#count("look that fails");
    this.#node.model.faults.add({ call: "HcnEnumerateNamespaces", kind: "fail", nth: 1 });
    await expect(reclaim(this.#node)).rejects.toMatchObject({ code: "HNS_REFUSED" });
    this.#node.model.faults.clear();
  }

  /** Looks are the grace time apart, so the second one that meets a lost pod releases it. */
  async #look(): Promise<void> {
    this.#count("look");
    await this.#node.clock.advance(GRACE_MS);
    const { reclaimed } = await reclaim(this.#node);
    const released = new Set(reclaimed.map(({ containerId }) => containerId));
    for (const [containerId, pod] of [...this.#pods]) {
      const seen = pod.lost === undefined ? undefined : (pod.lost += 1);
      expect([containerId, released.has(containerId)]).toEqual([containerId, seen === 2]);
      if (seen !== 2) continue;
      this.#count("reclaim");
      expect(states(this.#node, pod.request)).not.toContain("assigned");
      this.#pods.delete(containerId);
    }
  }

  /** Promise 6, whatever was released: who has an endpoint has its address. */
  #expectLivingKept(): void {
    const held = new Map(this.#node.held().addresses.map(({ address, owner }) => [address, owner]));
    for (const { name, addresses } of this.#node.podEndpoints()) {
      const pod = [...this.#pods.values()].find(({ request }) => name === `${request.containerId}_pods`);
      for (const { address } of addresses) expect([name, held.get(address)]).toEqual([name, this.#owner(pod)]);
    }
  }

  #owner(pod: Pod | undefined): string | undefined {
    return pod === undefined ? undefined : this.#node.attachment(pod.request)?.id;
  }

  #isGone(request: AttachRequest): boolean {
    const { endpoints, namespaces } = this.#node.model.world;
    const has = (ids: Iterable<string>, wanted: string | undefined): boolean => [...ids].some((id) => findGuid(id) === wanted);
    return !has(endpoints.keys(), this.#node.attachment(request)?.endpoint) && !has(namespaces.keys(), findGuid(request.netns));
  }

  #choose(fits: (pod: Pod) => boolean): Pod | undefined {
    const fitting = [...this.#pods.values()].filter(fits);
    return fitting[Math.floor(this.#random() * fitting.length)];
  }
}

test(`seed ${seed}: over ${STEPS} random steps no address of a live endpoint is released, and every leaked one by the second look`, async () => {
  const walk = new Walk(createRandom(seed));
  await walk.run(STEPS);
  process.stderr.write(`reclaim, seed ${seed}: ${JSON.stringify(walk.counts)}\n`);
  expect(Object.keys(walk.counts).sort()).toEqual(
    ["attach", "attach again", "detach", "look", "look that fails", "lose", "lose half", "reboot", "reclaim"].sort(),
  );
  expect(walk.counts["reclaim"]).toBeGreaterThan(STEPS / 50);
}, 600_000);
