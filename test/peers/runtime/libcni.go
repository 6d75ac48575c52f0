package main

import (
	"context"
	"os"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"
)

func callLibCNI(ctx context.Context, request *Request) (any, error) {
	own := request.LibCNI
	list, err := libcni.LoadNetworkConf(request.ConfDir, own.Network)
	if err != nil {
		return nil, err
	}
	exec := &invoke.DefaultExec{RawExec: &invoke.RawExec{Stderr: os.Stderr}, PluginDecoder: version.PluginDecoder{}}
	cni := libcni.NewCNIConfigWithCacheDir(request.PluginDirs, own.CacheDir, exec)
	rt := &libcni.RuntimeConf{
		ContainerID:    request.ContainerID,
		NetNS:          request.NetNS,
		IfName:         own.IfName,
		Args:           pairs(own.Args),
		CapabilityArgs: own.Capabilities,
	}
	switch request.Command {
	case "ADD":
		return cni.AddNetworkList(ctx, list, rt)
	case "CHECK":
		return nil, cni.CheckNetworkList(ctx, list, rt)
	case "DEL":
		return nil, cni.DelNetworkList(ctx, list, rt)
	case "GC":
		return nil, cni.GCNetworkList(ctx, list, &libcni.GCArgs{ValidAttachments: attachments(request.Valid)})
	case "STATUS":
		return nil, cni.GetStatusNetworkList(ctx, list)
	case "VALIDATE":
		return cni.ValidateNetworkList(ctx, list)
	case "CACHED":
		return cached(cni, list, rt)
	default:
		return nil, unknownCommand(request)
	}
}

// cached gives the result that ADD left in libcni's cache, nil when there is none.
func cached(cni *libcni.CNIConfig, list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) (any, error) {
	result, err := cni.GetNetworkListCachedResult(list, rt)
	if err != nil || result == nil {
		return nil, err
	}
	return result, nil
}

func pairs(args map[string]string) [][2]string {
	list := make([][2]string, 0, len(args))
	for key, value := range args {
		list = append(list, [2]string{key, value})
	}
	return list
}

func attachments(valid []Attachment) []types.GCAttachment {
	list := make([]types.GCAttachment, 0, len(valid))
	for _, one := range valid {
		list = append(list, types.GCAttachment{ContainerID: one.ContainerID, IfName: one.IfName})
	}
	return list
}
