import { isJsonObject, type JsonObject } from "../cni/json.ts";
import type { Bandwidth } from "../policy/qos.ts";
import { buildFault, type Fault } from "./faults.ts";

const ANNOTATIONS = "io.kubernetes.cri.pod-annotations";

/** Bits a second that Kubernetes lets a pod ask for: 1k to 1P. */
const LEAST_RATE = 1e3;
const MOST_RATE = 1e15;

const REMEDY = 'write bits a second from 1k to 1P, such as "10M"';

/** Kubernetes' suffixes of quantities. */
const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Faults of the pod's bandwidth that the schema cannot tell. */
export function findBandwidthFaults(document: JsonObject): Fault[] {
  return readAnnotations(document).flatMap(({ path, text, rate }) =>
    rate === undefined ? [buildFault(path, text, "is no bandwidth that a pod can have", REMEDY)] : [],
  );
}

/**
 * What the runtime asks for: the capability `bandwidth`, which containerd makes of the annotations when it is on, and for a direction that it
 * does not name the annotation itself. Undefined when nobody asks.
 */
export function buildBandwidth(document: JsonObject): Bandwidth | undefined {
  const { bandwidth } = runtimeOf(document);
  const annotated = readAnnotations(document).flatMap(({ field, rate }) => (rate === undefined ? [] : [[field, rate] as const]));
  const asked: Bandwidth = { ...Object.fromEntries(annotated), ...(isJsonObject(bandwidth) ? bandwidth : {}) };
  return Object.keys(asked).length === 0 ? undefined : asked;
}

interface Annotation {
  readonly field: "ingressRate" | "egressRate";
  readonly path: string;
  readonly text: unknown;
  /** Bits a second; undefined when it says none. */
  readonly rate: number | undefined;
}

function readAnnotations(document: JsonObject): Annotation[] {
  const annotations = runtimeOf(document)[ANNOTATIONS];
  if (!isJsonObject(annotations)) return [];
  return (["ingress", "egress"] as const).flatMap((direction) => {
    const path = `kubernetes.io/${direction}-bandwidth`;
    const text = annotations[path];
    return text === undefined || text === null ? [] : [{ field: `${direction}Rate` as const, path, text, rate: readRate(text) }];
  });
}

/** A quantity as Kubernetes writes it: `10M`, `1.5Gi`, `1e6`. */
function readRate(text: unknown): number | undefined {
  const parts = typeof text === "string" ? /^\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3}|[numkMGTPE]|[KMGTPE]i)?$/.exec(text.trim()) : null;
  if (parts === null) return undefined;
  const [, digits = "", suffix = ""] = parts;
  const factor = Object.hasOwn(FACTORS, suffix) ? FACTORS[suffix] : undefined;
  const rate = Math.ceil(factor === undefined ? Number(digits + suffix) : Number(digits) * factor);
  return rate >= LEAST_RATE && rate <= MOST_RATE ? rate : undefined;
}

function runtimeOf(document: JsonObject): JsonObject {
  return isJsonObject(document["runtimeConfig"]) ? document["runtimeConfig"] : {};
}
