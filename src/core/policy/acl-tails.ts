import type { PolicyDocument } from "../hcn/documents.ts";
import { ACL_PRIORITY, type AclDirection, type AclRuleType, buildCatchAll } from "./acl.ts";
import { settingsOf, textIn } from "./policy-settings.ts";
import { ANY_PROTOCOL } from "./protocols.ts";

const DIRECTIONS: readonly AclDirection[] = ["In", "Out"];
const RULE_TYPES: readonly AclRuleType[] = ["Switch", "Host"];

/** Fields that limit what a rule is about. */
const LIMITS = ["LocalAddresses", "RemoteAddresses", "LocalPorts", "RemotePorts"];

/**
 * The policies with a last rule for each direction that says what happens to all other traffic: it passes. Older versions of HNS let pass
 * what no rule speaks of; from Windows Server 2025 on, one rule on an endpoint blocks all the rest, in both directions. A direction that has
 * such a last rule already, allowing or blocking, keeps its own. Without any rule nothing is added.
 * Source: microsoft/Windows-Containers issue 616.
 */
export function addAllowTails(policies: readonly PolicyDocument[]): PolicyDocument[] {
  const rules = policies.filter(({ Type }) => Type === "ACL");
  const tails = RULE_TYPES.flatMap((ruleType) => {
    const ofType = rules.filter((rule) => ruleTypeOf(rule) === ruleType);
    if (ofType.length === 0) return [];
    const open = DIRECTIONS.filter((direction) => !ofType.some((rule) => textIn(rule, "Direction") === direction && isCatchAll(rule)));
    return open.map((direction) => buildCatchAll("Allow", direction, ACL_PRIORITY.tail, ruleType));
  });
  return [...policies, ...tails];
}

/** A rule without type is one of the switch. */
function ruleTypeOf(rule: PolicyDocument): AclRuleType {
  return textIn(rule, "RuleType") === "Host" ? "Host" : "Switch";
}

function isCatchAll(rule: PolicyDocument): boolean {
  const settings = settingsOf(rule);
  const protocols = textIn(rule, "Protocols");
  const isAny = protocols === "" || protocols.split(",").includes(String(ANY_PROTOCOL));
  return isAny && textIn(rule, "Action") !== "Pass" && LIMITS.every((field) => (settings[field] ?? "") === "");
}
