/** What HNS refuses in rules: the fields of ACLs, of tiers of ACLs, and of the filters of proxies. */
import { describeFault, type Fault } from "../base/fault.ts";
import { isJsonObject } from "../cni/json.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { ANY_PROTOCOL, PROTOCOLS_WITH_PORTS } from "./protocols.ts";
import type { Field, Shape } from "./raw-policy-fields.ts";
import { readShape } from "./raw-policy-shape.ts";

const ACTIONS = ["Allow", "Block", "Pass"];
const DIRECTIONS = ["In", "Out"];

const TUPLE: Readonly<Record<string, Field>> = {
  Protocols: { kind: "protocolList", aliases: ["Protocol"] },
  LocalAddresses: { kind: "addressList" },
  RemoteAddresses: { kind: "addressList" },
  LocalPorts: { kind: "portList", aliases: ["LocalPort"] },
  RemotePorts: { kind: "portList", aliases: ["RemotePort"] },
  Priority: { kind: "uint16" },
};

export const TUPLE_SHAPE: Shape = { fields: TUPLE, check: checkTuple };

export const ACL_SHAPE: Shape = {
  fields: {
    Id: { kind: "text" },
    Action: { kind: { oneOf: ACTIONS }, required: true },
    Direction: { kind: { oneOf: DIRECTIONS }, required: true },
    RuleType: { kind: { oneOf: ["Host", "Switch"] } },
    ...TUPLE,
  },
  check: checkTuple,
};

export const TIER_ACL_SHAPE: Shape = {
  fields: {
    Name: { kind: "text", required: true },
    Direction: { kind: { oneOf: DIRECTIONS }, required: true },
    Order: { kind: "uint16" },
    TierAclRules: {
      kind: {
        objects: {
          fields: { Id: { kind: "text" }, TierAclRuleAction: { kind: { oneOf: ACTIONS }, required: true }, ...TUPLE },
          check: checkTuple,
        },
      },
    },
  },
};

/** The faults HNS would find in the settings of an ACL; none when it takes them. `sets` are the ids of the network's address sets. */
export function checkAcl(policy: PolicyDocument, path: string, sets: ReadonlySet<string> = new Set()): Fault[] {
  const faults: Fault[] = [];
  readShape(ACL_SHAPE, isJsonObject(policy.Settings) ? policy.Settings : {}, path, { faults, sets });
  return faults;
}

/** Ports need protocols that have them, and a rule about two families matches nothing. */
function checkTuple(settings: Readonly<Record<string, unknown>>, path: string): Fault[] {
  const faults: Fault[] = [];
  const protocols = itemsOf(settings["Protocols"]).map(Number);
  const without = protocols.find((protocol) => !PROTOCOLS_WITH_PORTS.includes(protocol));
  const ported = ["LocalPorts", "RemotePorts"].find((field) => itemsOf(settings[field]).length > 0);
  if (ported !== undefined && without !== undefined) {
    const problem = `names ports for protocol ${without === ANY_PROTOCOL ? "256 (any)" : without}, which has none`;
    faults.push(
      describeFault(
        `${path}.${ported}`,
        settings[ported],
        problem,
        "limit Protocols to 6 (TCP), 17 (UDP) and 132 (SCTP), or leave the ports out",
      ),
    );
  }
  const [local, remote] = [familiesOf(settings["LocalAddresses"]), familiesOf(settings["RemoteAddresses"])];
  if (local.size > 0 && remote.size > 0 && ![...local].some((family) => remote.has(family))) {
    const problem = "is of another family than LocalAddresses, so the rule matches nothing";
    faults.push(describeFault(`${path}.RemoteAddresses`, settings["RemoteAddresses"], problem, "write a rule for each family"));
  }
  return faults;
}

function itemsOf(value: unknown): string[] {
  return typeof value === "string" && value !== "" ? value.split(",") : [];
}

/** 4 and 6 by the addresses; ids of address sets may hold both. */
function familiesOf(value: unknown): Set<number> {
  const families = itemsOf(value).map((item) => (item.includes(":") ? [6] : /^[\d.]+(\/\d+)?$/.test(item) ? [4] : [4, 6]));
  return new Set(families.flat());
}
