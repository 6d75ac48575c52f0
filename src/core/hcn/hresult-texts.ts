/**
 * Cause and remedy of each HRESULT in hresults.ts, for the administrator of a Windows node; docs/errors.md has the same texts.
 * Kept apart from the names so that a bundle which only compares codes does not carry the sentences.
 */
export const hresultTexts: Readonly<Record<number, readonly [cause: string, remedy: string]>> = {
  0x803b0001: [
    "The HNS network does not exist. It was removed, or the node was restarted and HNS did not bring it back.",
    "Retry the pod: ADD creates a network that is ours. A network made by another tool must be made again by that tool.",
  ],
  0x803b0002: [
    "The HNS endpoint does not exist (any more).",
    "Nothing is needed when a pod is being removed. For a running pod, delete the pod so that it is made again.",
  ],
  0x803b0003: [
    "The layer of the virtual switch that the network is built on is gone.",
    "Drain the node, delete the HNS network and let it be created again.",
  ],
  0x803b0004: [
    "The virtual switch of the network is gone; most likely it was removed by hand or by Hyper-V tools.",
    "Drain the node, delete the HNS network and let it be created again with its switch.",
  ],
  0x803b0005: [
    "The address of the endpoint lies in none of the network's subnets.",
    "Compare the subnets of the IPAM configuration with those of the HNS network, and make them the same.",
  ],
  0x803b0006: [
    "HNS found no usable network adapter: the named one is missing, is a virtual one, belongs to a team or VPN, or is held by another virtual switch.",
    "List the adapters with Get-NetAdapter and name a physical one that is up and free in the configuration, or free it from the other switch.",
  ],
  0x803b0007: [
    "The endpoint has no port on the virtual switch; it was only half created or half removed.",
    "Delete the pod (or the endpoint) so that it is created again.",
  ],
  0x803b0008: [
    "A policy that was to be changed or removed is not there.",
    "Nothing is needed when policies are being removed. Otherwise apply the policy again.",
  ],
  0x803b0009: [
    "The Virtual Filtering Platform (VFP) is not active on the switch port.",
    "Check that the VFP extension is enabled on the virtual switch and that the vfpext driver runs; otherwise create the network again.",
  ],
  0x803b000a: [
    "HNS did not accept the network's definition: a field is missing or wrong.",
    "Check the network section of the CNI configuration: type, subnets, gateway, adapter name, VSID.",
  ],
  0x803b000b: [
    "HNS does not know the network type.",
    "Use L2Bridge, Overlay, NAT, Transparent or L2Tunnel, and check that this Windows version offers it.",
  ],
  0x803b000c: [
    "HNS did not accept the endpoint's definition: a field is missing or wrong.",
    "Check the addresses, routes and DNS settings that the configuration and the IPAM plugin give.",
  ],
  0x803b000d: [
    "HNS did not accept one of the policies: a value is wrong, or this Windows edition (client editions above all) does not support it.",
    "Check the policies in the configuration one after the other; on Windows 10 and 11 use Windows Server instead.",
  ],
  0x803b000e: [
    "This Windows version does not know one of the policy types.",
    "Remove the policy from the configuration or update Windows.",
  ],
  0x803b000f: [
    "The operation is not possible on an endpoint that stands for a pod on another node.",
    "Apply the operation on the node where the pod runs.",
  ],
  0x803b0010: [
    "A network with this name or id exists already.",
    "Use the existing network if it is the wanted one; otherwise choose another name or remove the old network while no endpoint uses it.",
  ],
  0x803b0011: [
    "The layer of the virtual switch exists already, often from a network that was not removed entirely.",
    "Remove left-over HNS networks that use the same adapter, then retry.",
  ],
  0x803b0012: [
    "The same policy is there already.",
    "Nothing is needed if the policy is the wanted one; otherwise remove the old one first.",
  ],
  0x803b0013: [
    "The TCP or UDP port is taken: by another port mapping, a listening process, or a range that Windows reserves.",
    'Choose another host port, or find the holder with "netstat -ano" and "netsh interface ipv4 show excludedportrange tcp".',
  ],
  0x803b0014: [
    "The endpoint is attached to a container or namespace already.",
    "Nothing is needed when the same pod is set up again. Otherwise delete the pod, so that its endpoint is made again.",
  ],
  0x803b0015: [
    "HNS does not support this request for this kind of object, or not in this Windows version.",
    "Remove the setting that asks for it, or update Windows.",
  ],
  0x803b0016: [
    "Networks of this type cannot map ports.",
    "Remove the hostPort from the pod, or use a network type that supports port mappings.",
  ],
  0x803b0017: [
    "The object is damaged (HNS calls it degraded) and can do only a part of its work.",
    "Delete the pod so that its endpoint is created again; for a network, drain the node and create it again.",
  ],
  0x803b0018: [
    "The virtual switch is shared with other networks, so it must not be changed.",
    "Leave the switch as it is, or remove the other networks first.",
  ],
  0x803b0019: [
    "An id is no valid GUID, in a request or in the data that HNS keeps.",
    "If no id in the configuration is wrong, the data of HNS may be damaged: drain the node and follow Microsoft's HNS clean-up steps.",
  ],
  0x803b001a: [
    "HNS could not read or write its registry keys.",
    "Check the disk and the permissions of the registry; as a last step drain the node and follow Microsoft's HNS clean-up steps.",
  ],
  0x803b001b: [
    "HNS could not read the JSON document it was given.",
    "Check the values that the configuration passes on to HNS. If they are right, report this with the log file.",
  ],
  0x803b001c: [
    "The document refers to an object that does not exist, such as an endpoint that was removed.",
    "Create the object again that refers to it (load balancer or policy list), without the missing one.",
  ],
  0x803b001d: [
    "Sharing an endpoint between containers is switched off.",
    "Give each container its own endpoint, or enable sharing on the endpoint.",
  ],
  0x803b001e: [
    "The IP address is invalid or does not fit the network's subnet.",
    "Compare the subnets of the IPAM configuration with those of the HNS network.",
  ],
  0x803b001f: [
    "An extension of the virtual switch, or its driver, is missing.",
    "Install or enable the extension (Get-VMSwitchExtension lists them), then create the network again.",
  ],
  0x803b0020: ["HNS is stopping or has stopped.", "Wait until the service runs again (Get-Service hns) and retry."],
  0x803b0021: ["A part of the guest's network service is missing.", "Check that the container image fits the Windows version of the node."],
  0x803b0022: [
    "Nothing in the guest handles this kind of network request.",
    "Check that the container image fits the Windows version of the node.",
  ],
  0x803b0023: [
    "The guest's network service does not support this request.",
    "Update the container image or remove the setting that asks for it.",
  ],
  0x803b0024: [
    "The guest's network service could not use its registry keys.",
    "Delete the pod so that it is made again; if that does not help, restart the node.",
  ],
  0x803b0025: [
    "The network adapter of the container did not appear in time.",
    "Retry. If it happens often, look for a heavily loaded node or a failing adapter driver.",
  ],
  0x803b0026: [
    "The network adapter of the container did not appear.",
    "Delete the pod so that it is made again; if that does not help, restart the node.",
  ],
  0x803b0027: [
    "The network compartment of the container does not exist; most likely the container has ended.",
    "Nothing is needed when the pod is being removed. Otherwise delete the pod.",
  ],
  0x803b0028: ["The network interface of the container does not exist.", "Delete the pod so that it is made again."],
  0x803b0029: ["The guest has its default network namespace already.", "Nothing is needed if the pod works; otherwise delete the pod."],
  0x803b002a: [
    "The service Internet Connection Sharing (SharedAccess) is disabled, and NAT networks need it.",
    "Enable the service SharedAccess, or use another network type than NAT.",
  ],
  0x803b002b: [
    "The endpoint is in a network namespace already.",
    "Nothing is needed when it is the pod's own namespace. Otherwise delete the pod, so that its endpoint is made again.",
  ],
  0x803b002c: [
    "Something still refers to the object, such as a load balancer or a namespace, so it cannot be deleted.",
    "Remove what refers to it first; kube-proxy removes its own load balancers when the service goes.",
  ],
  0x803b002d: ["The container port of a port mapping is missing or 0.", "Give each port mapping a containerPort from 1 to 65535."],
  0x803b002e: [
    "The endpoint could not be joined to the pod's network namespace.",
    "Retry with a new pod. If it goes on, restart HNS on a drained node.",
  ],
  0x803b002f: [
    "The address cannot be used: it is the network, gateway or broadcast address, lies outside the subnet, or another endpoint holds it.",
    "Keep those addresses out of the IPAM ranges, and remove endpoints that no pod uses.",
  ],
  0x803b0030: [
    "The prefix length or prefix is invalid.",
    "Correct the prefix in the configuration: 0 to 32 for IPv4, 0 to 128 for IPv6, without host bits.",
  ],
  0x803b0031: ["The object was removed while the call was under way.", "Retry; the next call sees the object as missing."],
  0x803b0032: [
    "HNS did not accept a subnet of the network: a field is missing or wrong.",
    "Check the subnets of the network in the configuration.",
  ],
  0x803b0033: [
    "HNS did not accept an IP subnet inside a subnet of the network.",
    "Check that each IP subnet lies within its subnet and that they do not overlap.",
  ],
  0x803b0034: [
    "The operation needs an endpoint that is attached, and this one is not.",
    "Retry once the pod's sandbox is up, or delete the pod so that its endpoint is made again.",
  ],
  0x803b0035: [
    "The operation needs an endpoint of this node, and this one stands for a pod elsewhere.",
    "Apply the operation on the node where the pod runs.",
  ],
  0x803b0036: [
    "The endpoint has an InterfaceParameters policy already, and only one is allowed.",
    "Leave only one such policy in the configuration.",
  ],
  0x803b0037: [
    "This kind of network needs the Virtual Filtering Platform (VFP), which this Windows does not offer.",
    "Use Windows Server with the Containers feature, or a network type without VFP.",
  ],
  0x80004005: ["HNS failed without saying why.", "Read the Host-Network-Service logs in the Event Viewer at the time of the call."],
  0x80070002: [
    "A file or object that HNS needs does not exist.",
    "Check that the Containers feature is installed whole (Get-WindowsFeature Containers).",
  ],
  0x80070005: [
    "The caller may not do this; HNS wants an administrator or SYSTEM.",
    "Run the container runtime, or the command, as SYSTEM or in an elevated prompt.",
  ],
  0x80070006: [
    "A handle was used after HNS had closed it, for example because the service was restarted.",
    "Retry. If it goes on, report this with the log file.",
  ],
  0x8007000e: [
    "HNS ran out of a resource. More often than memory it is the pool of ports for load balancers or NAT.",
    "Look at the number of services and port mappings and at the reserved port ranges before memory; restarting HNS on a drained node frees leaked ones.",
  ],
  0x80070015: [
    "The network adapter or driver is not ready, or this (virtual) adapter cannot carry the network type.",
    "Retry once the adapter is up. In a virtual machine allow MAC address spoofing, or use another network type.",
  ],
  0x80070032: ["Windows does not support the request here.", "Remove the setting that asks for it, or update Windows."],
  0x80070057: [
    "A value in the request is wrong, or the network adapter is in a state that does not allow it (teamed, on a VPN, or already under another network).",
    "Check the configuration and the adapter, and look for other HNS networks or virtual switches on the same adapter.",
  ],
  0x8007007e: [
    "A library of Windows that carries HNS is missing.",
    "Install the Containers feature (Install-WindowsFeature Containers) and restart the node.",
  ],
  0x8007007f: [
    "The HNS library of this Windows version lacks a function that is needed.",
    "Update Windows; Windows Server 2019 is the oldest version that can work.",
  ],
  0x800700aa: ["HNS or an object in it is busy with something else.", "Retry."],
  0x800700b7: [
    "The object exists already; after a restart HNS brings some objects back by itself.",
    "Use the existing object if it is the wanted one, or remove it first.",
  ],
  0x8007041d: ["The HNS service did not answer in time.", "Retry. If it goes on, restart HNS on a drained node."],
  0x80070422: ["The HNS service is disabled.", 'Enable it: "Set-Service hns -StartupType Manual", then "Start-Service hns".'],
  0x80070424: [
    "The HNS service is not installed.",
    "Install the Containers feature (Install-WindowsFeature Containers) and restart the node.",
  ],
  0x80070425: [
    "The HNS service is starting or stopping and takes no requests.",
    "Wait until the service runs (Get-Service hns) and retry.",
  ],
  0x80070426: ["The HNS service is not running.", 'Start it: "Start-Service hns".'],
  0x8007045b: ["Windows is shutting down.", "Nothing is needed; the pod is set up again after the restart or on another node."],
  0x80070490: [
    "The object (namespace, load balancer, route, sometimes network) does not exist.",
    "Nothing is needed when a pod is being removed. Otherwise delete the pod so that it is made again.",
  ],
  0x800705aa: ["Windows ran out of system resources.", "Free memory on the node or move pods away, then retry."],
  0x800705b4: ["HNS waited for something that did not come in time.", "Retry. If it goes on, restart HNS on a drained node."],
  0x800706ba: [
    "The HNS service cannot be reached: it has stopped, crashed, or is just starting.",
    "Wait until the service runs (Get-Service hns), start it if need be, and retry.",
  ],
  0x800706bb: ["The HNS service has too much to do.", "Retry later; look for a tool that calls HNS without pause."],
  0x800706be: [
    "The HNS service went away during the call; the work may or may not have been done.",
    "Retry; what is there already is found and used.",
  ],
  0x800706bf: ["The HNS service went away before it carried out the call.", "Retry once the service runs (Get-Service hns)."],
  0x80071392: [
    "An object with this address or name exists already; most often another endpoint, perhaps a left-over one, holds the IP address.",
    "Find the endpoint with that address (Get-HnsEndpoint) and remove it if no pod uses it.",
  ],
  0x8007139f: [
    "The object is not in a state that allows the operation.",
    "Retry once the pod's sandbox is up, or delete the pod so that it is made again.",
  ],
};
