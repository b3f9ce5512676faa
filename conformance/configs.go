package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	encode "github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"go.yaml.in/yaml/v4"
)

// bundleFile has the secrets of all clusters of a repository whose configs are compared.
const bundleFile = "bundle.yaml"

// compareConfigs compares the machine config that talosmith makes for each device of the repositories with the one that this
// machinery makes from the same secrets, options and patches, and fails if they differ. Meanwhile their secrets
// have other sources. Devices with a Talos of another minor, with base configs of their own, or that talosmith refuses are left
// out. The redacted configs of the repositories as they are have the digests of a snapshot, and differ from the machinery's in
// placeholders only.
func compareConfigs(talosmith, snapshot string, roots []string, out io.Writer) error {
	_, minor, err := ownMinor()
	if err != nil {
		return err
	}
	digests, err := readDigests(snapshot)
	if err != nil {
		return err
	}
	compared, refused, different := 0, 0, 0
	for _, root := range roots {
		models, err := filepath.Glob(filepath.Join(root, "devices", "*", "device.yaml"))
		if err != nil {
			return err
		}
		redacted := map[string][]byte{}
		for _, model := range models {
			name := filepath.Base(filepath.Dir(model))
			// What cannot be made is reported below.
			redacted[name], _ = exec.Command(talosmith, "-C", root, "config", name, "--redact").Output()
		}
		path := filepath.Join(root, "talosmith.yaml")
		written, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fleet, err := readFleet(root)
		if err != nil {
			return fmt.Errorf("%s: %w", root, err)
		}
		for _, model := range models {
			name := filepath.Base(filepath.Dir(model))
			generated := exec.Command(talosmith, "-C", root, "--quiet", "generate", name, "--tracked-only")
			if generated.Run() != nil {
				refused++
				continue
			}
			c, err := readDevice(talosmith, root, name)
			if err != nil {
				return fmt.Errorf("%s: %w", model, err)
			}
			if own, err := minorOf(c.node.talos); err != nil || own != minor || c.node.hasBase {
				continue
			}
			compared++
			difference, err := fleet.compare(talosmith, name, c)
			if err == nil && difference == "" {
				difference, err = fleet.compareRedacted(c, redacted[name], digests[filepath.Base(root)+"/"+name])
			}
			if err != nil {
				return fmt.Errorf("%s: %w", model, err)
			}
			if difference != "" {
				different++
				fmt.Fprintf(out, "%s differs:\n%s\n", c.ID, difference)
			}
		}
		// The machinery of another version reads the repository as it was.
		if err := os.WriteFile(path, written, 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d configs of Talos 1.%d compared, %d different, %d devices refused\n", compared, minor, different, refused)
	if different > 0 || compared == 0 {
		return errors.New("talosmith and the machinery do not agree")
	}
	return nil
}

// fleet is a repository whose secrets come from files.
type fleet struct {
	root      string
	bundle    *secrets.Bundle
	endpoints map[string]string
}

// readFleet replaces the sources of all secrets of a repository by files, gives each cluster the keys that a config needs, and writes a
// new secrets bundle.
func readFleet(root string) (*fleet, error) {
	path := filepath.Join(root, "talosmith.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	// The order of keys stays: it counts in what the model renders.
	var model yaml.Node
	if err := yaml.Unmarshal(text, &model); err != nil {
		return nil, err
	}
	f := &fleet{root: root, endpoints: map[string]string{}}
	if f.bundle, err = secrets.NewBundle(secrets.NewFixedClock(time.Now()), nil); err != nil {
		return nil, err
	}
	for name, cluster := range pairs(model.Content[0], "clusters") {
		endpoint := "https://192.0.2.1:6443"
		for key, value := range pairs(cluster) {
			if key.Value == "endpoint" {
				endpoint = value.Value
			}
		}
		f.endpoints[name.Value] = endpoint
		keys := map[string]any{
			"endpoint": endpoint, "kubernetesVersion": "v" + constants.DefaultKubernetesVersion,
			"secretsBundle": map[string]any{"file": bundleFile},
		}
		if err := set(cluster, keys); err != nil {
			return nil, err
		}
	}
	for name, sources := range pairs(model.Content[0], "secrets") {
		file := name.Value + ".secret"
		if err := sources.Encode([]any{map[string]any{"file": file}}); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(root, file), []byte(standIn(name.Value)), 0o600); err != nil {
			return nil, err
		}
	}
	if text, err = yaml.Marshal(&model); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return nil, err
	}
	if text, err = yaml.Marshal(f.bundle); err != nil {
		return nil, err
	}
	return f, os.WriteFile(filepath.Join(root, bundleFile), text, 0o600)
}

// pairs iterates over the keys and values of a mapping, or of the one at a path of keys in it.
func pairs(mapping *yaml.Node, path ...string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(*yaml.Node, *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			key, value := mapping.Content[i], mapping.Content[i+1]
			switch {
			case len(path) == 0 && !yield(key, value):
				return
			case len(path) > 0 && key.Value == path[0]:
				pairs(value, path[1:]...)(yield)
			}
		}
	}
}

// set sets keys of a mapping.
func set(mapping *yaml.Node, values map[string]any) error {
	for key, value := range pairs(mapping) {
		if changed, is := values[key.Value]; is {
			if err := value.Encode(changed); err != nil {
				return err
			}
			delete(values, key.Value)
		}
	}
	var added yaml.Node
	if err := added.Encode(values); err != nil {
		return err
	}
	mapping.Content = append(mapping.Content, added.Content...)
	return nil
}

// compare returns how the two configs of a device differ.
func (f *fleet) compare(talosmith, name string, c *Case) (string, error) {
	official, err := f.official(c, f.endpoints[c.node.cluster], constants.DefaultKubernetesVersion)
	if err != nil {
		return "", err
	}
	run := exec.Command(talosmith, "-C", f.root, "config", name, "--output", "-")
	var complaints bytes.Buffer
	run.Stderr = &complaints
	own, err := run.Output()
	if err != nil {
		return fmt.Sprintf("%s: %v: %s", run, err, complaints.String()), nil
	}
	loaded, err := configloader.NewFromBytes(own)
	if err != nil {
		return fmt.Sprintf("the machinery cannot load it: %v", err), nil
	}
	again, err := loaded.EncodeBytes(encode.WithComments(encode.CommentsDisabled))
	if err != nil {
		return "", err
	}
	if difference := firstDifference(string(official), string(again)); difference != "" {
		return difference, nil
	}
	return dataDifference(official, own, false)
}

// kubernetesVersion finds the versions of Kubernetes in a machine config.
var kubernetesVersion = regexp.MustCompile(`/(?:kubelet|kube-[a-z-]+):v([^"'\s]+)`)

// compareRedacted returns how a config with placeholders differs from the machinery's, or from the one with a digest.
func (f *fleet) compareRedacted(c *Case, redacted []byte, digest string) (string, error) {
	if own := fmt.Sprintf("%x", sha256.Sum256(redacted)); digest != "" && own != digest {
		return fmt.Sprintf("the redacted config has the digest %s, the snapshot %s", own, digest), nil
	}
	// Patches can replace images, so that any of the versions can be the one of the base config, or none.
	first := ""
	for _, found := range append(kubernetesVersion.FindAllSubmatch(redacted, -1), [][]byte{nil, []byte(constants.DefaultKubernetesVersion)}) {
		official, err := f.official(c, f.endpoints[c.node.cluster], string(found[1]))
		if err != nil {
			return "", err
		}
		difference, err := dataDifference(official, redacted, true)
		if err != nil || difference == "" {
			return "", err
		}
		if first == "" {
			first = difference
		}
	}
	return first, nil
}

// readDigests returns the digests in a snapshot by the names of repositories and devices.
func readDigests(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 2 && strings.Contains(fields[0], "/") {
			digests[fields[0]] = fields[1]
		}
	}
	return digests, nil
}

// dataDifference returns how two streams of documents differ as data; a string with a placeholder can be equal to any other.
func dataDifference(official, own []byte, hasPlaceholders bool) (string, error) {
	left, err := readData(official)
	if err != nil {
		return "", err
	}
	right, err := readData(own)
	if err != nil {
		return "", err
	}
	if hasPlaceholders {
		left = fillIn(left, right)
	}
	if reflect.DeepEqual(left, right) {
		return "", nil
	}
	one, err := yaml.Marshal(left)
	if err != nil {
		return "", err
	}
	other, err := yaml.Marshal(right)
	if err != nil {
		return "", err
	}
	return "as data: " + firstDifference(string(one), string(other)), nil
}

func readData(text []byte) (any, error) {
	documents := []any{}
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

// fillIn returns a value with the placeholders that another one has in place of its strings.
func fillIn(value, pattern any) any {
	switch pattern := pattern.(type) {
	case string:
		if text, is := value.(string); is && text != "" && secretPlaceholder.MatchString(pattern) {
			return pattern
		}
	case []any:
		items, _ := value.([]any)
		for i := range min(len(items), len(pattern)) {
			items[i] = fillIn(items[i], pattern[i])
		}
	case map[string]any:
		fields, _ := value.(map[string]any)
		for key := range fields {
			fields[key] = fillIn(fields[key], pattern[key])
		}
	}
	return value
}

// official returns the config that talosctl makes.
func (f *fleet) official(c *Case, endpoint, kubernetesVersion string) ([]byte, error) {
	contract, err := config.ParseContractFromVersion(c.Base)
	if err != nil {
		return nil, err
	}
	image := c.node.installImage
	if image == "" {
		minor, err := minorOf(c.node.talos)
		if err != nil {
			return nil, err
		}
		image = installer(minor, c.node.talos)
	}
	options := []generate.Option{
		generate.WithVersionContract(contract), generate.WithSecretsBundle(f.bundle),
		generate.WithInstallDisk(c.node.installDisk), generate.WithInstallImage(image),
	}
	input, err := generate.NewInput(c.node.cluster, endpoint, kubernetesVersion, options...)
	if err != nil {
		return nil, err
	}
	role, err := machine.ParseType(c.Role)
	if err != nil {
		return nil, err
	}
	generated, err := input.Config(role)
	if err != nil {
		return nil, err
	}
	text, err := generated.EncodeBytes(encode.WithComments(encode.CommentsDisabled))
	if err != nil {
		return nil, err
	}
	base, err := configloader.NewFromBytes(text)
	if err != nil {
		return nil, err
	}
	text, _, err = apply(base, c.Patches, false)
	if text == nil {
		return nil, err
	}
	// What Talos refuses in the whole config is no matter of merging.
	loaded, err := configloader.NewFromBytes(text)
	if err != nil {
		return nil, err
	}
	return loaded.EncodeBytes(encode.WithComments(encode.CommentsDisabled))
}

// firstDifference returns the first lines in which two texts differ.
func firstDifference(official, own string) string {
	if official == own {
		return ""
	}
	left, right := strings.Split(official, "\n"), strings.Split(own, "\n")
	at := 0
	for at < len(left) && at < len(right) && left[at] == right[at] {
		at++
	}
	show := func(lines []string) string {
		return strings.Join(lines[max(0, min(at-3, len(lines))):min(len(lines), at+4)], "\n")
	}
	return fmt.Sprintf("line %d, the machinery:\n%s\ntalosmith:\n%s", at+1, show(left), show(right))
}

// writeNodes writes a repository with a device for each of a number of cases that this machinery accepts, chosen at random, each on the
// base of a random contract.
func writeNodes(count, seed, root string, in io.Reader) error {
	number, random, err := generator(count, seed)
	if err != nil {
		return err
	}
	version, minor, err := ownMinor()
	if err != nil {
		return err
	}
	var cases []*Case
	if err := each(in, func(c *Case) error { cases = append(cases, c); return nil }); err != nil {
		return err
	}
	random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	clusters := map[string]any{}
	for contract := 8; contract <= minor; contract++ {
		clusters[fmt.Sprintf("v1-%d", contract)] = map[string]any{
			"talosVersion": "v" + version, "baseConfig": fmt.Sprintf("v1.%d.0", contract), "endpoint": "https://[2001:db8::1]:6443",
		}
	}
	byContract := map[string]*bases{}
	written := 0
	for _, c := range cases {
		contract := 8 + random.IntN(minor-7)
		name := fmt.Sprintf("v1.%d", contract)
		if byContract[name] == nil {
			if byContract[name], err = newBases(name); err != nil {
				return err
			}
		}
		base, err := byContract[name].fresh(c.Role)
		if err != nil {
			return err
		}
		if written == number || c.verify(base).Verdict == "error" {
			continue
		}
		if err := writeNode(root, written, fmt.Sprintf("v1-%d", contract), c); err != nil {
			return err
		}
		written++
	}
	text, err := yaml.Marshal(map[string]any{"version": 1, "clusters": clusters})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "talosmith.yaml"), text, 0o644)
}

func writeNode(root string, number int, cluster string, c *Case) error {
	name := fmt.Sprintf("node-%d", number)
	folder := filepath.Join(root, "devices", name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	patches := map[string]any{}
	for i, patch := range c.Patches {
		file := fmt.Sprintf("%02d.yaml", i)
		patches[fmt.Sprintf("p%02d", i)] = map[string]any{"file": file}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(patch), 0o644); err != nil {
			return err
		}
	}
	model := map[string]any{
		"name": name, "cluster": cluster, "role": c.Role, "address": fmt.Sprintf("192.0.%d.%d", number/250, number%250+1), "patches": patches,
		"disks": map[string]any{"system": map[string]any{"path": "/dev/sda", "size": "100GB", "system": true}},
	}
	text, err := yaml.Marshal(model)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "device.yaml"), text, 0o644)
}
