import { PluginError } from "../base/errors.ts";
import { parseAnyResult } from "./result-parsing.ts";
import { findFamily, findResultProblem } from "./result.ts";
import type { CniDns, CniInterface, CniIp, CniResult, CniRoute } from "./result.ts";
import { findVersion, SUPPORTED_VERSIONS, UNSTATED_VERSION } from "./version.ts";
import type { CniVersion } from "./version.ts";

/** A result document as it is written to stdout. */
export type ResultDocument = Readonly<Record<string, unknown>>;

/** Versions whose results have the same form. */
type ResultForm = "ip4-ip6" | "versioned-ips" | "current";

export function resultForm(version: CniVersion): ResultForm {
  if (version === "0.1.0" || version === "0.2.0") return "ip4-ip6";
  return version === "1.0.0" || version === "1.1.0" ? "current" : "versioned-ips";
}

/** Whether results of `version` cannot be written without an address; an ADD must know this before it creates anything. */
export function needsAddress(version: CniVersion): boolean {
  return resultForm(version) === "ip4-ip6";
}

/**
 * `result` in the form of `version`, empty fields left out. Older forms lose what they cannot say: 0.1.0 and 0.2.0 all but the
 * first address of each family and the routes of families without address, 0.3.0 to 0.4.0 mtu, socketPath and pciID of interfaces.
 * Throws INCOMPATIBLE_VERSION when 0.1.0 or 0.2.0 is wanted and there is no address.
 */
export function formatResult(result: CniResult, version: CniVersion): ResultDocument {
  switch (resultForm(version)) {
    case "ip4-ip6":
      return formatTwoFamilies(result, version);
    case "versioned-ips":
      return {
        cniVersion: version,
        ...list("interfaces", result.interfaces.map(formatOldInterface)),
        ...list(
          "ips",
          result.ips.map((ip) => ({ version: findFamily(ip.address) === 6 ? "6" : "4", ...formatIpEntry(ip) })),
        ),
        ...list("routes", result.routes.map(formatRoute)),
        dns: formatDns(result.dns),
      };
    case "current":
      return formatCurrent(result, version);
  }
}

/**
 * A result document of version `from` rewritten for version `to`; an empty version means 0.1.0.
 * Throws INCOMPATIBLE_VERSION when either is not supported, MALFORMED_JSON when the document is no result.
 */
export function convertResult(document: unknown, from: string, to: string): ResultDocument {
  const [source, target] = [findVersion(from === "" ? UNSTATED_VERSION : from), findVersion(to === "" ? UNSTATED_VERSION : to)];
  if (source === undefined || target === undefined) {
    throw new PluginError("INCOMPATIBLE_VERSION", {
      message: `no converter for CNI result version ${from} to ${to}`,
      remedy: `use one of ${SUPPORTED_VERSIONS.join(", ")}`,
    });
  }
  return formatResult(parseAnyResult(document, source), target);
}

/**
 * The prevResult of a configuration in `version`. A document without cniVersion is taken to be in that version.
 * Throws MALFORMED_JSON when it states a version of another form, is no result, or one that would mislead the plugins after it.
 */
export function parsePrevResult(document: Readonly<Record<string, unknown>>, version: CniVersion): CniResult {
  const stated = document["cniVersion"] ?? "";
  const form = resultForm(version);
  const accepted = SUPPORTED_VERSIONS.filter((other) => resultForm(other) === form);
  if (stated !== "" && !accepted.some((other) => other === stated)) {
    throw new PluginError("MALFORMED_JSON", {
      message: `prevResult states cniVersion ${JSON.stringify(stated)}, a configuration in ${version} takes ${accepted.join(", ")}`,
      remedy: "the runtime converts a stored result to the configuration's version; give both in the same one",
      field: "prevResult",
    });
  }
  const result = parseAnyResult(document, version);
  const problem = findResultProblem(result);
  if (problem === undefined) return result;
  throw new PluginError("MALFORMED_JSON", {
    message: `prevResult is not valid: ${problem}`,
    remedy: "correct the plugin before this one in the list",
    field: "prevResult",
  });
}

function formatCurrent(result: CniResult, version: CniVersion): ResultDocument {
  const dns = formatDns(result.dns);
  return {
    cniVersion: version,
    ...list("interfaces", result.interfaces.map(formatInterface)),
    ...list("ips", result.ips.map(formatIpEntry)),
    ...list("routes", result.routes.map(formatRoute)),
    ...(Object.keys(dns).length === 0 ? {} : { dns }),
  };
}

function formatTwoFamilies(result: CniResult, version: CniVersion): ResultDocument {
  const [ip4, ip6] = ([4, 6] as const).map((family) => {
    const first = result.ips.find((ip) => findFamily(ip.address) === family);
    if (first === undefined) return undefined;
    const routes = result.routes.filter((route) => findFamily(route.dst) === family);
    return {
      ip: first.address,
      ...text("gateway", first.gateway),
      ...list(
        "routes",
        routes.map(({ dst, gw }) => ({ dst, ...text("gw", gw) })),
      ),
    };
  });
  if (ip4 === undefined && ip6 === undefined) {
    throw new PluginError("INCOMPATIBLE_VERSION", {
      message: `cannot convert the result to ${version}: no valid IP addresses`,
      remedy: "set cniVersion to 0.3.0 or later, whose results need no address",
    });
  }
  return { cniVersion: version, ...(ip4 && { ip4 }), ...(ip6 && { ip6 }), dns: formatDns(result.dns) };
}

function formatInterface(entry: CniInterface): ResultDocument {
  const { name, mac, mtu, sandbox, socketPath, pciId } = entry;
  return {
    name,
    ...text("mac", mac),
    ...count("mtu", mtu),
    ...text("sandbox", sandbox),
    ...text("socketPath", socketPath),
    ...text("pciID", pciId),
  };
}

function formatOldInterface({ name, mac, sandbox }: CniInterface): ResultDocument {
  return { name, ...text("mac", mac), ...text("sandbox", sandbox) };
}

/** Index 0 is written: an absent one would say that the address belongs to no interface. */
function formatIpEntry({ address, gateway, interface: index }: CniIp): ResultDocument {
  return { ...(index === undefined ? {} : { interface: index }), address, ...text("gateway", gateway) };
}

/** Table and scope are pointers in the reference types, where 0 has a meaning of its own; the other numbers are left out when 0. */
function formatRoute({ dst, gw, mtu, advmss, priority, table, scope }: CniRoute): ResultDocument {
  return {
    dst,
    ...text("gw", gw),
    ...count("mtu", mtu),
    ...count("advmss", advmss),
    ...count("priority", priority),
    ...(table === undefined ? {} : { table }),
    ...(scope === undefined ? {} : { scope }),
  };
}

function formatDns({ nameservers, domain, search, options }: CniDns): ResultDocument {
  return { ...list("nameservers", nameservers), ...text("domain", domain), ...list("search", search), ...list("options", options) };
}

function text(key: string, value: string | undefined): ResultDocument {
  return value === undefined || value === "" ? {} : { [key]: value };
}

function count(key: string, value: number | undefined): ResultDocument {
  return value === undefined || value === 0 ? {} : { [key]: value };
}

function list(key: string, values: readonly unknown[]): ResultDocument {
  return values.length === 0 ? {} : { [key]: values };
}
