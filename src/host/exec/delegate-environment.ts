/** What every program of Windows finds in its environment, and what a program needs to find others and its own folders. Source: a plain service's. */
const OF_SYSTEM: readonly string[] = [
  "PATH",
  "PATHEXT",
  "SYSTEMROOT",
  "SYSTEMDRIVE",
  "WINDIR",
  "COMSPEC",
  "OS",
  "COMPUTERNAME",
  "NUMBER_OF_PROCESSORS",
  "PROCESSOR_ARCHITECTURE",
  "PROCESSOR_IDENTIFIER",
  "PROCESSOR_LEVEL",
  "PROCESSOR_REVISION",
  "TEMP",
  "TMP",
  "TMPDIR",
  "PROGRAMDATA",
  "ALLUSERSPROFILE",
  "PROGRAMFILES",
  "PROGRAMFILES(X86)",
  "PROGRAMW6432",
  "COMMONPROGRAMFILES",
  "COMMONPROGRAMFILES(X86)",
  "COMMONPROGRAMW6432",
  "PUBLIC",
  "USERPROFILE",
  "HOME",
  "LANG",
  "TZ",
];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment of an IPAM plugin that the agent runs for a call: the call's variables over those of the system. The specification wants
 * that of the call, of which the agent gets the CNI_* and tracing variables alone. What else the service has is the agent's own: settings of
 * Node and of this program would mislead a plugin, and a secret among them is none of its business.
 */
export function delegateEnvironment(service: Environment, call: Environment): Environment {
  const ofSystem = Object.entries(service).filter(([name]) => OF_SYSTEM.includes(name.toUpperCase()));
  return { ...Object.fromEntries(ofSystem), ...call };
}
