import type { ErrorCode } from "./errors.ts";

/** What an error code means and what to do about it, when the error itself says nothing closer. */
export interface ErrorEntry {
  readonly cause: string;
  readonly remedy: string;
}

/** One entry a code (the type sees to that); docs/errors.md has the same texts. For the CLI and the documents, not for the CNI path. */
export const errorCatalogue: Readonly<Record<ErrorCode, ErrorEntry>> = {
  INVALID_ENVIRONMENT: {
    cause: "A CNI_* variable is missing or malformed: the command, container id, interface name or plugin path.",
    remedy: "Start the plugin through a CNI runtime. If one did start it, check its version and the variable that the message names.",
  },
  INCOMPATIBLE_VERSION: {
    cause:
      "The cniVersion of the network configuration is not supported, or is too old for the command (CHECK needs 0.4.0, GC and STATUS need 1.1.0).",
    remedy: "Set cniVersion to one that the VERSION command lists.",
  },
  UNSUPPORTED_FIELD: {
    cause: "A field asks for something that this plugin, or HNS on this Windows version, cannot do.",
    remedy: "Remove the field that the message names, or update Windows where the message says that this helps.",
  },
  MALFORMED_JSON: {
    cause: "Standard input is no JSON object.",
    remedy: "Correct the syntax of the configuration file in the CNI configuration folder.",
  },
  INVALID_CONFIG: {
    cause: "The network configuration has a missing, wrong or contradictory value.",
    remedy: "Correct the field that the message names; the configuration is then read again without a restart.",
  },
  IO_FAILURE: {
    cause: "Standard input, a file or a library could not be read or written.",
    remedy: "Check that the path in the message exists, that SYSTEM may use it, and that the disk is not full.",
  },
  INVALID_NAMESPACE: {
    cause: "The pod's host compute namespace does not exist, or the namespace id that the runtime gave is no GUID.",
    remedy:
      "Nothing is needed when the pod is being removed; otherwise the runtime makes a new sandbox. If it repeats, check the runtime's version.",
  },
  STATE_FAILURE: {
    cause: "The state database could not be opened, read or written.",
    remedy: "Check the permissions and free space of the state folder, and that no virus scanner locks the file.",
  },
  STATE_DAMAGED: {
    cause: "The state database is damaged, and it could not be set aside and rebuilt from what HNS holds.",
    remedy: "Stop the programs that use the state folder, move state.db, state.db-wal and state.db-shm away, and try again.",
  },
  HNS_UNAVAILABLE: {
    cause: "The HNS service or its library is not there.",
    remedy: "Install the Containers feature and see that the service hns runs (Get-Service hns).",
  },
  HNS_TIMEOUT: {
    cause: "HNS did not answer within the deadline. The call may still complete later; the next command sees what became of it.",
    remedy: "Retry. If it goes on, HNS hangs: drain the node and restart the service hns, or the node.",
  },
  HNS_REFUSED: {
    cause: "HNS answered with an error; the HRESULT in the message says which.",
    remedy: "Look up the HRESULT below.",
  },
  NETWORK_MISMATCH: {
    cause:
      "An HNS network of this name exists and differs from the configuration in the fields that the message names. It is not changed, since pods may use it.",
    remedy: "Make the configuration fit the network, choose another name, or drain the node and remove the network.",
  },
  NETWORK_NOT_READY: {
    cause: "The network lacks something that it must get first, such as its management address or a host adapter.",
    remedy: "Retry shortly. If it goes on, check that the adapter of the network is up and has an address.",
  },
  ADDRESS_EXHAUSTED: {
    cause: "Every address of the pool is in use, resting after its release, or set aside because HNS may still hold it.",
    remedy: "Wait for released addresses, remove pods, or give the node a larger range.",
  },
  ADDRESS_CONFLICT: {
    cause: "HNS refused every address that was tried as in use or reserved, or the address that a pod asks for is another's.",
    remedy:
      "Look for endpoints that no pod uses and for another IPAM that hands out the same range; keep reserved addresses out of the range.",
  },
  ATTACHMENT_BUSY: {
    cause: "Another process is at work on the same container and interface.",
    remedy: "Nothing is needed: the runtime retries. If it lasts for minutes, look for a hanging hns-cni process.",
  },
  ATTACHMENT_CANCELLED: {
    cause: "A DEL for the same container came while ADD was at work, so ADD gave up and took back what it had done.",
    remedy: "Nothing is needed: the pod was removed on purpose.",
  },
  CHECK_FAILED: {
    cause: "The pod's endpoint is missing or differs from what ADD made, in the ways that the message names.",
    remedy: "Delete the pod so that its network is made again, and find out what changed the endpoint.",
  },
  AGENT_SILENT: {
    cause: "The agent holds the node's state and did not answer. The command was not done a second time beside it.",
    remedy: "Retry. If it goes on, look at agent.log in the state folder and restart the hns-cni service.",
  },
  OPERATION_TIMEOUT: {
    cause: "The whole command ran out of time, although no single call did.",
    remedy: "Retry. If it goes on, look for a slow HNS or a slow IPAM plugin in the log file.",
  },
  FORWARDING_FAILED: {
    cause: "Forwarding between interfaces could not be enabled on the host endpoint, so pods would have no gateway.",
    remedy: "Check that the host endpoint's adapter exists, and that no group policy sets forwarding.",
  },
  DELEGATE_FAILED: {
    cause: "The IPAM plugin that ipam.type names answered with an error, or not as a CNI plugin answers. Its own words are in the message.",
    remedy: "Follow that plugin's message; what ADD had done is taken back, and a DEL is repeated by the runtime.",
  },
  CLEANUP_FAILED: {
    cause: "Some steps of DEL or GC failed; the others were done. What is left is kept in the state.",
    remedy:
      "Nothing at first: the runtime calls DEL again, and only the rest is done. If it goes on, follow the cause of the step that the message names.",
  },
  INTERNAL: {
    cause: "An error that this program does not expect: a fault in it.",
    remedy: "Report this with the log file.",
  },
};
