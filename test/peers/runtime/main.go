// The program runtime calls CNI plugins the way container runtimes do: through libcni as CRI-O, Podman and Nerdctl use it, and
// through go-cni as containerd uses it. A test gives it one request as JSON on stdin and gets one answer as JSON on stdout.
//
//	runtime libcni|go-cni < request.json
//
// Exit codes: 0 the call was made, also when the plugin refused it (the answer's error says so); 2 the request cannot be used.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/containernetworking/cni/pkg/types"
)

// A call's limit: kubelet gives a container runtime two minutes.
const limit = 2 * time.Minute

// Request is one call of one client library.
type Request struct {
	Command     string       `json:"command"`
	PluginDirs  []string     `json:"pluginDirs"`
	ConfDir     string       `json:"confDir"`
	ContainerID string       `json:"containerId"`
	NetNS       string       `json:"netns"`
	LibCNI      LibCNI       `json:"libcni"`
	Containerd  Containerd   `json:"containerd"`
	Valid       []Attachment `json:"valid"`
}

// LibCNI is what a direct user of libcni chooses itself.
type LibCNI struct {
	Network      string            `json:"network"`
	IfName       string            `json:"ifname"`
	CacheDir     string            `json:"cacheDir"`
	Args         map[string]string `json:"args"`
	Capabilities map[string]any    `json:"capabilities"`
}

// Containerd is what the CRI knows of a pod; containerd makes arguments and capabilities of it.
type Containerd struct {
	Namespace    string            `json:"namespace"`
	Name         string            `json:"name"`
	UID          string            `json:"uid"`
	Annotations  map[string]string `json:"annotations"`
	PortMappings []PortMapping     `json:"portMappings"`
	DNS          *DNSConfig        `json:"dns"`
}

// PortMapping is a CRI port mapping with its protocol in lower case.
type PortMapping struct {
	HostPort      int32  `json:"hostPort"`
	ContainerPort int32  `json:"containerPort"`
	Protocol      string `json:"protocol"`
	HostIP        string `json:"hostIP"`
}

// DNSConfig is the CRI's.
type DNSConfig struct {
	Servers  []string `json:"servers"`
	Searches []string `json:"searches"`
	Options  []string `json:"options"`
}

// Attachment is one that GC must leave alone.
type Attachment struct {
	ContainerID string `json:"containerId"`
	IfName      string `json:"ifname"`
}

// Answer has a result or an error; neither when the call succeeds without a result.
type Answer struct {
	Result any      `json:"result,omitempty"`
	Error  *Failure `json:"error,omitempty"`
}

// Failure is an error as the client library hands it on. Code is 0 when it is not a plugin's error object.
type Failure struct {
	Code    uint   `json:"code"`
	Message string `json:"message"`
	Details string `json:"details,omitempty"`
}

type client func(context.Context, *Request) (any, error)

var clients = map[string]client{"libcni": callLibCNI, "go-cni": callGoCNI}

func main() {
	answer, err := run(os.Args[1:], os.Stdin)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(args []string, stdin io.Reader) (*Answer, error) {
	if len(args) != 1 || clients[args[0]] == nil {
		return nil, errors.New("usage: runtime libcni|go-cni < request.json")
	}
	text, err := io.ReadAll(stdin)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	request := &Request{}
	if err := decoder.Decode(request); err != nil {
		return nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	result, err := clients[args[0]](ctx, request)
	if err != nil {
		return &Answer{Error: describe(err)}, nil
	}
	return &Answer{Result: result}, nil
}

// describe finds the plugin's own error object inside what a library made of it.
func describe(err error) *Failure {
	failure := &Failure{Message: err.Error()}
	var plugin *types.Error
	if errors.As(err, &plugin) {
		failure.Code = plugin.Code
		failure.Details = plugin.Details
	}
	return failure
}

func unknownCommand(request *Request) error {
	return fmt.Errorf("command %q is not one of this client", request.Command)
}
