import { EMPTY_DNS, type CniDns } from "../cni/result.ts";

/** What a resolv.conf says: the last domain counts, lists add up over lines, `#` and `;` begin comments. Never throws. */
export function parseResolvConf(text: string): CniDns {
  const dns = { ...EMPTY_DNS, nameservers: [] as string[], search: [] as string[], options: [] as string[] };
  let domain: string | undefined;
  for (const line of text.split("\n")) {
    const [key, ...values] = line.trim().split(/\s+/);
    if (key === undefined || /^[#;]/.test(key) || values.length === 0) continue;
    if (key === "nameserver") dns.nameservers.push(...values.slice(0, 1));
    else if (key === "search") dns.search.push(...values);
    else if (key === "options") dns.options.push(...values);
    else if (key === "domain") domain = values[0];
  }
  return { ...dns, ...(domain !== undefined && { domain }) };
}
