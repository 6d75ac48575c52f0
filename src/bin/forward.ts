import { PluginError } from "../core/base/errors.ts";
import { ADMIN_PROGRAM, ADMIN_QUERY, type AdminQuery } from "../service/agent/admin-protocol.ts";
import { forwardCall } from "../service/rpc/client.ts";

export interface ForwardRequest {
  readonly socket: string;
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: string;
  readonly deadlineMs: number;
}

export type ForwardOutcome =
  | { readonly kind: "answered"; readonly code: number; readonly stdout: string }
  | { readonly kind: "nobody-listens" }
  | { readonly kind: "silent"; readonly reason: string };

/** Hands a CNI call to the agent, with the variables that a plugin reads. */
export async function forward({ socket, program, env, stdin, deadlineMs }: ForwardRequest): Promise<ForwardOutcome> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && isHandedOn(entry[0]));
  const call = { program, variables: Object.fromEntries(entries), stdin: new TextEncoder().encode(stdin), deadlineMs };
  const outcome = await forwardCall(call, { path: socket });
  if (outcome.kind !== "answered") return outcome;
  return { kind: "answered", code: outcome.code, stdout: new TextDecoder().decode(outcome.stdout) };
}

function isHandedOn(name: string): boolean {
  return /^(CNI_|TRACEPARENT$|TRACESTATE$|BAGGAGE$)/i.test(name);
}

/** What the agent answers to the command line; undefined when nobody listens. Throws AGENT_SILENT. */
export async function askAgent({
  socket,
  query,
  deadlineMs,
}: {
  socket: string;
  query: AdminQuery;
  deadlineMs: number;
}): Promise<string | undefined> {
  const call = { program: ADMIN_PROGRAM, variables: { [ADMIN_QUERY]: query }, stdin: new Uint8Array(), deadlineMs };
  const outcome = await forwardCall(call, { path: socket });
  if (outcome.kind === "nobody-listens") return undefined;
  const decoder = new TextDecoder();
  if (outcome.kind === "answered" && outcome.code === 0) return decoder.decode(outcome.stdout);
  const why = outcome.kind === "silent" ? outcome.reason : decoder.decode(outcome.stderr);
  const remedy = "run this as an administrator; look at agent.log, and restart the hns-cni service if it stays so";
  throw new PluginError("AGENT_SILENT", { message: `the agent does not answer: ${why}`, remedy }, { retryable: true });
}
