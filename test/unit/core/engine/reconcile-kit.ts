import type { CniResult } from "../../../../src/core/cni/result.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { Reconciler, type PassOptions } from "../../../../src/core/engine/reconcile/reconciler.ts";
import type { ReconcileReport } from "../../../../src/core/engine/reconcile/report.ts";
import { buildRaw, EngineFixture, HOST_ENDPOINT } from "../../../support/engine-fixture.ts";

export const GRACE_MS = 60_000;

type Endpoint = NonNullable<ReturnType<EngineFixture["endpointOf"]>>;

/** A node whose ADDs are remembered, and the reconciler that looks at it. */
export class ReconcileKit {
  readonly node: EngineFixture;
  reconciler = new Reconciler({ graceMs: GRACE_MS });

  constructor(options: ConstructorParameters<typeof EngineFixture>[0] = {}) {
    this.node = new EngineFixture(options);
  }

  /** An ADD as the program runs it, with this configuration. */
  async add(containerId: string, config: Record<string, unknown> = buildRaw()): Promise<{ pod: AttachRequest; result: CniResult }> {
    const pod = this.node.pod(containerId);
    return { pod, result: await this.node.add({ ...pod, asked: { config, program: "hns-cni" } }) };
  }

  pass(options: Partial<PassOptions> = {}): Promise<ReconcileReport> {
    const process = this.node.spawn();
    return process.run(() => this.reconciler.pass(this.node.engine(process), { dryRun: false, isFull: true, ...options }));
  }

  endpoint(pod: AttachRequest): Endpoint {
    const found = this.node.endpointOf(pod);
    if (found === undefined) throw new Error("the pod has no endpoint");
    return found;
  }

  /** HNS loses every network and endpoint. */
  dropNetworks(): void {
    const { world } = this.node.model;
    world.endpoints.clear();
    world.networks.clear();
    for (const namespace of world.namespaces.values()) namespace.endpoints.splice(0);
  }

  dropHostEndpoint(): void {
    const { endpoints } = this.node.model.world;
    for (const [id, { name }] of endpoints) if (name === HOST_ENDPOINT) endpoints.delete(id);
  }

  /** Names of the calls that change HNS, since the log was cleared. */
  changes(): string[] {
    return this.node.calls().filter((name) => /Create|Modify|Delete/.test(name));
  }
}

export function actions({ entries }: ReconcileReport): string[] {
  return entries.map(({ action, outcome }) => `${action} ${outcome}`);
}
