package main

import (
	"context"

	gocni "github.com/containerd/go-cni"
)

// The capability under which containerd offers a pod's annotations.
const podAnnotations = "io.kubernetes.cri.pod-annotations"

// callGoCNI loads the configuration folder as containerd does at its start (one network, the first file), then makes the call.
func callGoCNI(ctx context.Context, request *Request) (any, error) {
	cni, err := gocni.New(
		gocni.WithMinNetworkCount(1),
		gocni.WithPluginConfDir(request.ConfDir),
		gocni.WithPluginMaxConfNum(1),
		gocni.WithPluginDir(request.PluginDirs),
	)
	if err != nil {
		return nil, err
	}
	if err := cni.Load(gocni.WithDefaultConf); err != nil {
		return nil, err
	}
	options := namespaceOptions(request)
	switch request.Command {
	case "ADD":
		return cni.Setup(ctx, request.ContainerID, request.NetNS, options...)
	case "CHECK":
		return nil, cni.Check(ctx, request.ContainerID, request.NetNS, options...)
	case "DEL":
		return nil, cni.Remove(ctx, request.ContainerID, request.NetNS, options...)
	case "STATUS":
		return nil, cni.Status()
	default:
		return nil, unknownCommand(request)
	}
}

// namespaceOptions gives each call what containerd gives it: the pod's names as CNI_ARGS, its annotations always, and port mappings
// and DNS only when the pod has some.
func namespaceOptions(request *Request) []gocni.NamespaceOpts {
	pod := request.Containerd
	options := []gocni.NamespaceOpts{
		gocni.WithLabels(map[string]string{
			"K8S_POD_NAMESPACE":          pod.Namespace,
			"K8S_POD_NAME":               pod.Name,
			"K8S_POD_INFRA_CONTAINER_ID": request.ContainerID,
			"K8S_POD_UID":                pod.UID,
			"IgnoreUnknown":              "1",
		}),
		gocni.WithCapability(podAnnotations, pod.Annotations),
	}
	if mappings := portMappings(pod.PortMappings); len(mappings) > 0 {
		options = append(options, gocni.WithCapabilityPortMap(mappings))
	}
	if pod.DNS != nil {
		dns := gocni.DNS{Servers: pod.DNS.Servers, Searches: pod.DNS.Searches, Options: pod.DNS.Options}
		options = append(options, gocni.WithCapabilityDNS(dns))
	}
	return options
}

// portMappings leaves out what has no host port: containers list ports that nobody maps.
func portMappings(given []PortMapping) []gocni.PortMapping {
	var mappings []gocni.PortMapping
	for _, one := range given {
		if one.HostPort <= 0 {
			continue
		}
		mappings = append(mappings, gocni.PortMapping{
			HostPort:      one.HostPort,
			ContainerPort: one.ContainerPort,
			Protocol:      one.Protocol,
			HostIP:        one.HostIP,
		})
	}
	return mappings
}
