// The program chained stands in for plugins that are put before or after ours in a list and that no Windows node of ours can run. It insists
// on what the real ones insist on, by the same library, and passes the result on as they do. The configuration's type tells which one it is:
//
//	bandwidth  of containernetworking/plugins: limits the pod's interface, and makes an interface of its own for what the pod sends
//	istio-cni  of istio: tells its agent the pod's addresses, and changes nothing
//	first      stands before the others, and makes what its configuration says
//
// With recordFile it adds a line there for each call, with what it was given.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/containernetworking/cni/pkg/version"
)

// Conf is what all of them read.
type Conf struct {
	types.NetConf
	RecordFile    string `json:"recordFile"`
	RuntimeConfig struct {
		Bandwidth *Bandwidth `json:"bandwidth,omitempty"`
	} `json:"runtimeConfig"`
	// Makes is the result of the plugin first.
	Makes json.RawMessage `json:"makes"`
}

// Bandwidth is the runtime's, in bits a second and bits.
type Bandwidth struct {
	IngressRate  uint64 `json:"ingressRate"`
	IngressBurst uint64 `json:"ingressBurst"`
	EgressRate   uint64 `json:"egressRate"`
	EgressBurst  uint64 `json:"egressBurst"`
}

// Record is one call.
type Record struct {
	Plugin     string          `json:"plugin"`
	Command    string          `json:"command"`
	PrevResult json.RawMessage `json:"prevResult,omitempty"`
	Bandwidth  *Bandwidth      `json:"bandwidth,omitempty"`
}

type plugin struct {
	add   func(*skel.CmdArgs, *Conf, *current.Result) (*current.Result, error)
	check func(*skel.CmdArgs, *Conf, *current.Result) error
}

var plugins = map[string]plugin{
	"bandwidth": {add: limit, check: checkLimit},
	"istio-cni": {add: tellAgent, check: func(*skel.CmdArgs, *Conf, *current.Result) error { return nil }},
	"first":     {add: makeFirst, check: func(*skel.CmdArgs, *Conf, *current.Result) error { return nil }},
}

func main() {
	skel.PluginMainFuncs(skel.CNIFuncs{Add: add, Check: check, Del: del, GC: gc, Status: status},
		version.VersionsStartingFrom("0.3.0"), "stand-in for a plugin of a list")
}

func add(args *skel.CmdArgs) error {
	conf, previous, err := parse("ADD", args)
	if err != nil {
		return err
	}
	result, err := plugins[conf.Type].add(args, conf, previous)
	if err != nil {
		return err
	}
	return types.PrintResult(result, conf.CNIVersion)
}

func check(args *skel.CmdArgs) error {
	conf, previous, err := parse("CHECK", args)
	if err != nil {
		return err
	}
	return plugins[conf.Type].check(args, conf, previous)
}

func del(args *skel.CmdArgs) error {
	_, _, err := parse("DEL", args)
	return err
}

func gc(args *skel.CmdArgs) error {
	_, _, err := parse("GC", args)
	return err
}

func status(args *skel.CmdArgs) error {
	_, _, err := parse("STATUS", args)
	return err
}

// parse reads configuration and prevResult by the library, which refuses a result that is not in the configuration's version.
func parse(command string, args *skel.CmdArgs) (*Conf, *current.Result, error) {
	conf := &Conf{}
	if err := json.Unmarshal(args.StdinData, conf); err != nil {
		return nil, nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	if _, known := plugins[conf.Type]; !known {
		return nil, nil, fmt.Errorf("there is no stand-in for %q", conf.Type)
	}
	if err := record(command, conf, args.StdinData); err != nil {
		return nil, nil, err
	}
	if conf.RawPrevResult == nil {
		return conf, nil, nil
	}
	if err := version.ParsePrevResult(&conf.NetConf); err != nil {
		return nil, nil, fmt.Errorf("prevResult cannot be read: %w", err)
	}
	previous, err := current.NewResultFromResult(conf.PrevResult)
	return conf, previous, err
}

func record(command string, conf *Conf, stdin []byte) error {
	if conf.RecordFile == "" {
		return nil
	}
	given := struct {
		PrevResult json.RawMessage `json:"prevResult"`
	}{}
	if err := json.Unmarshal(stdin, &given); err != nil {
		return err
	}
	line, err := json.Marshal(Record{conf.Type, command, given.PrevResult, conf.RuntimeConfig.Bandwidth})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(conf.RecordFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(line, '\n'))
	return err
}

// limit wants a result with the pod's interface, and adds an interface of the node. Without a limit it passes the result on.
func limit(args *skel.CmdArgs, conf *Conf, previous *current.Result) (*current.Result, error) {
	if previous == nil {
		return nil, errors.New("must be called as a chained plugin")
	}
	wanted := conf.RuntimeConfig.Bandwidth
	if wanted == nil || *wanted == (Bandwidth{}) {
		return previous, nil
	}
	if (wanted.EgressRate == 0) != (wanted.EgressBurst == 0) || (wanted.IngressRate == 0) != (wanted.IngressBurst == 0) {
		return nil, errors.New("a rate needs a burst, and a burst a rate")
	}
	if _, err := findPodInterface(args, previous); err != nil {
		return nil, err
	}
	previous.Interfaces = append(previous.Interfaces, &current.Interface{Name: deviceName(args), Mac: "02:00:00:00:00:07"})
	return previous, nil
}

func checkLimit(args *skel.CmdArgs, conf *Conf, previous *current.Result) error {
	if previous == nil {
		return errors.New("must be called as a chained plugin")
	}
	if _, err := findPodInterface(args, previous); err != nil {
		return err
	}
	if conf.RuntimeConfig.Bandwidth == nil {
		return nil
	}
	for _, one := range previous.Interfaces {
		if one.Name == deviceName(args) && one.Sandbox == "" {
			return nil
		}
	}
	return fmt.Errorf("the result has lost the interface %s", deviceName(args))
}

func deviceName(args *skel.CmdArgs) string {
	return "bwp" + args.ContainerID[:12]
}

// findPodInterface wants the pod's interface with its sandbox, and every address at an interface that there is.
func findPodInterface(args *skel.CmdArgs, result *current.Result) (int, error) {
	for _, ip := range result.IPs {
		if ip.Interface != nil && (*ip.Interface < 0 || *ip.Interface >= len(result.Interfaces)) {
			return 0, fmt.Errorf("the address %s is at interface %d of %d", ip.Address.String(), *ip.Interface, len(result.Interfaces))
		}
	}
	for index, one := range result.Interfaces {
		if one.Name == args.IfName && one.Sandbox == args.Netns {
			return index, nil
		}
	}
	return 0, fmt.Errorf("the result has no interface %s in the sandbox %s", args.IfName, args.Netns)
}

// K8sArgs is what a runtime tells of the pod.
type K8sArgs struct {
	types.CommonArgs
	K8S_POD_NAME      types.UnmarshallableString
	K8S_POD_NAMESPACE types.UnmarshallableString
}

// tellAgent wants the pod's name and the addresses at its interface.
func tellAgent(args *skel.CmdArgs, _ *Conf, previous *current.Result) (*current.Result, error) {
	pod := K8sArgs{}
	if err := types.LoadArgs(args.Args, &pod); err != nil {
		return nil, err
	}
	if pod.K8S_POD_NAME == "" || pod.K8S_POD_NAMESPACE == "" {
		return nil, errors.New("not a pod of Kubernetes")
	}
	if previous == nil {
		return nil, errors.New("must be called as a chained plugin")
	}
	own, err := findPodInterface(args, previous)
	if err != nil {
		return nil, err
	}
	for _, ip := range previous.IPs {
		if ip.Interface != nil && *ip.Interface == own {
			return previous, nil
		}
	}
	return nil, errors.New("the result has no address of the pod")
}

func makeFirst(_ *skel.CmdArgs, conf *Conf, previous *current.Result) (*current.Result, error) {
	if previous != nil {
		return nil, errors.New("the first plugin of a list has no prevResult")
	}
	result, err := version.NewResult(conf.CNIVersion, conf.Makes)
	if err != nil {
		return nil, err
	}
	return current.NewResultFromResult(result)
}
