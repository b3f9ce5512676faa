package main

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/types/v1alpha1"
)

// change is a change of the patches of a node, and whether the node reboots when it is applied.
type change struct {
	// Version of the machinery, whose minor is also that of the base.
	Version string   `json:"version"`
	Role    string   `json:"role"`
	Before  []string `json:"before"`
	After   []string `json:"after"`
	Reboots bool     `json:"reboots"`
}

// reboots writes a number of changes from the patches of some cases to those of others, chosen at random, with what Talos decides
// when it gets the new config: Talos up to 1.13 compares the two main documents.
func reboots(count, seed string, in io.Reader, out io.Writer) error {
	number, random, err := generator(count, seed)
	if err != nil {
		return err
	}
	version, minor, err := ownMinor()
	if err != nil {
		return err
	}
	if minor > 13 {
		return fmt.Errorf("Talos %s never reboots by itself", version)
	}
	byRole := map[string][]*Case{}
	if err := each(in, func(c *Case) error { byRole[c.Role] = append(byRole[c.Role], c); return nil }); err != nil {
		return err
	}
	for _, cases := range byRole {
		random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	}
	own, err := newBases(fmt.Sprintf("v1.%d", minor))
	if err != nil {
		return err
	}
	// Merging takes most of the time, so most changes are between cases that were merged before.
	known := map[string]*v1alpha1.Config{}
	document := func(role string, patches []string) (*v1alpha1.Config, error) {
		key := role + strings.Join(patches, "\n---\n")
		if _, is := known[key]; !is {
			base, err := own.fresh(role)
			if err != nil {
				return nil, err
			}
			known[key] = merged(base, patches)
		}
		return known[key], nil
	}
	lines := encoder(out)
	for written := 0; written < number; {
		role := []string{"controlplane", "controlplane", "worker"}[random.IntN(3)]
		cases := byRole[role][:min(len(byRole[role]), 400)]
		before, after := cases[random.IntN(len(cases))].Patches, cases[random.IntN(len(cases))].Patches
		if random.IntN(8) == 0 {
			after = slices.Concat(before, after)
		}
		// Talos keeps a null in a list as an item that it cannot use; talosmith drops it.
		isNull := func(patch string) bool { return strings.Contains(patch, "- null") }
		if slices.ContainsFunc(slices.Concat(before, after), isNull) {
			continue
		}
		old, err := document(role, before)
		if err != nil {
			return err
		}
		new, err := document(role, after)
		if err != nil {
			return err
		}
		if old == nil || new == nil {
			continue
		}
		decided := !appliesLive(old, new)
		// Few cases are about what reboots a node.
		if !decided && random.IntN(3) > 0 {
			continue
		}
		written++
		if err := lines.Encode(change{version, role, before, after, decided}); err != nil {
			return err
		}
	}
	return nil
}

// merged returns the main document of a base with patches, as a node reads it; nil if the machinery refuses one of them or panics.
func merged(base config.Provider, patches []string) (document *v1alpha1.Config) {
	defer func() {
		if recover() != nil {
			document = nil
		}
	}()
	text, _, err := apply(base, patches, false)
	if err != nil || text == nil {
		return nil
	}
	final, err := configloader.NewFromBytes(text)
	if err != nil {
		return nil
	}
	return final.RawV1Alpha1()
}

// live are the fields of the main document that Talos changes without a reboot.
// Source: internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_runtime.go, CanApplyImmediate, the same in 1.12 and 1.13.
var (
	liveMachine = []string{
		"MachineCA", "MachineAcceptedCAs", "MachineTime", "MachineCertSANs", "MachineInstall", "MachineNetwork", "MachineSysfs",
		"MachineSysctls", "MachineLogging", "MachineControlPlane", "MachineKubelet", "MachineKernel", "MachineRegistries",
		"MachinePods", "MachineSeccompProfiles", "MachineNodeAnnotations", "MachineNodeLabels", "MachineNodeTaints",
	}
	liveFeatures = []string{
		"KubernetesTalosAPIAccessConfig", "KubePrismSupport", "HostDNSSupport", "ImageCacheSupport", "FeatureNodeAddressSortAlgorithm",
	}
)

// appliesLive returns whether two main documents differ only where Talos can change them without a reboot.
func appliesLive(old, new *v1alpha1.Config) bool {
	new = new.DeepCopy()
	new.ConfigDebug = old.ConfigDebug
	new.ClusterConfig = old.ClusterConfig
	if old.MachineConfig != nil && new.MachineConfig != nil {
		take(new.MachineConfig, old.MachineConfig, liveMachine)
		if old.MachineConfig.MachineFeatures != nil && new.MachineConfig.MachineFeatures != nil {
			take(new.MachineConfig.MachineFeatures, old.MachineConfig.MachineFeatures, liveFeatures)
		}
	}
	return reflect.DeepEqual(old, new)
}

// take copies fields of a struct into another one, both by their pointers.
func take(to, from any, fields []string) {
	for _, field := range fields {
		reflect.ValueOf(to).Elem().FieldByName(field).Set(reflect.ValueOf(from).Elem().FieldByName(field))
	}
}
