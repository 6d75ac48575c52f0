import type { PolicyDocument } from "../hcn/documents.ts";
import { ACL_PRIORITY, type AclDirection, type AclRuleType, buildCatchAll } from "./acl.ts";
import { numberIn, settingsOf, textIn } from "./policy-settings.ts";
import { ANY_PROTOCOL } from "./protocols.ts";

const DIRECTIONS: readonly AclDirection[] = ["In", "Out"];
const RULE_TYPES: readonly AclRuleType[] = ["Switch", "Host"];

/** Fields that limit what a rule is about. */
const LIMITS = ["LocalAddresses", "RemoteAddresses", "LocalPorts", "RemotePorts"];

/**
 * The policies with a last rule for each direction that says what happens to all other traffic: it passes. Older versions of HNS let pass
 * what no rule speaks of; from Windows Server 2025 on, one rule on an endpoint blocks all the rest, in both directions. A direction that has
 * such a last rule already, allowing or blocking, keeps its own. Without any rule nothing is added.
 *
 * Nothing that a rule blocks is opened by this: a direction with a blocking rule that would come after ours gets none, and a warning.
 * Source: microsoft/Windows-Containers issue 616.
 */
export function addAllowTails(policies: readonly PolicyDocument[]): { policies: PolicyDocument[]; warnings: string[] } {
  const rules = policies.filter(({ Type }) => Type === "ACL");
  const open = RULE_TYPES.filter((ruleType) => rules.some((rule) => ruleTypeOf(rule) === ruleType)).flatMap((ruleType) =>
    DIRECTIONS.map((direction) => ({ ruleType, direction, rules: rules.filter((rule) => stands(rule, ruleType, direction)) })).filter(
      (place) => !place.rules.some(isCatchAll),
    ),
  );
  const [late, free] = [open.filter((place) => place.rules.some(isLate)), open.filter((place) => !place.rules.some(isLate))];
  return {
    policies: [...policies, ...free.map(({ direction, ruleType }) => buildCatchAll("Allow", direction, ACL_PRIORITY.tail, ruleType))],
    warnings: late.map(
      ({ direction, ruleType }) =>
        `${ruleType} ACLs for ${direction} get no last rule, as one that blocks has no Priority below ${ACL_PRIORITY.tail}: Windows Server 2025 blocks the rest`,
    ),
  };
}

function stands(rule: PolicyDocument, ruleType: AclRuleType, direction: AclDirection): boolean {
  return ruleTypeOf(rule) === ruleType && textIn(rule, "Direction") === direction;
}

/** A rule without type is one of the switch. */
function ruleTypeOf(rule: PolicyDocument): AclRuleType {
  return textIn(rule, "RuleType") === "Host" ? "Host" : "Switch";
}

/** Whether a rule that does not simply allow would be tried after the last rule; one without priority comes after all that have one. */
function isLate(rule: PolicyDocument): boolean {
  const priority = numberIn(rule, "Priority");
  return textIn(rule, "Action") !== "Allow" && (priority === 0 || priority >= ACL_PRIORITY.tail);
}

function isCatchAll(rule: PolicyDocument): boolean {
  const settings = settingsOf(rule);
  const protocols = textIn(rule, "Protocols");
  const isAny = protocols === "" || protocols.split(",").includes(String(ANY_PROTOCOL));
  return isAny && textIn(rule, "Action") !== "Pass" && LIMITS.every((field) => (settings[field] ?? "") === "");
}
