package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
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

// installer returns the image that `talosctl gen config` of a release of a minor puts into the base.
func installer(minor int, release string) string {
	if minor >= 14 {
		return "factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:" + release
	}
	return "ghcr.io/siderolabs/installer:" + release
}

// minorOf returns the second number of a version or a contract: 12 of 1.12.7 and of v1.12.
func minorOf(version string) (int, error) {
	var minor int
	if _, err := fmt.Sscanf(strings.TrimPrefix(version, "v"), "1.%d", &minor); err != nil {
		return 0, fmt.Errorf("%q is not a version such as v1.12: %w", version, err)
	}
	return minor, nil
}

// bases generates base configs of one contract, all with the same secrets.
type bases struct {
	contract *config.VersionContract
	image    string
	secrets  *secrets.Bundle
	texts    map[string][]byte
}

func newBases(contract string) (*bases, error) {
	minor, err := minorOf(contract)
	if err != nil {
		return nil, err
	}
	version, err := config.ParseContractFromVersion(contract)
	if err != nil {
		return nil, err
	}
	bundle, err := secrets.NewBundle(secrets.NewFixedClock(time.Now()), version)
	if err != nil {
		return nil, fmt.Errorf("secrets of %s: %w", contract, err)
	}
	return &bases{contract: version, image: installer(minor, fmt.Sprintf("v1.%d.0", minor)), secrets: bundle, texts: map[string][]byte{}}, nil
}

// text returns the base of a role as `talosctl gen config` writes it with an install disk, without comments.
func (b *bases) text(role string) ([]byte, error) {
	if text, ok := b.texts[role]; ok {
		return text, nil
	}
	input, err := generate.NewInput("conformance", "https://192.0.2.1:6443", constants.DefaultKubernetesVersion,
		generate.WithVersionContract(b.contract), generate.WithSecretsBundle(b.secrets),
		generate.WithInstallDisk("/dev/nvme0n1"), generate.WithInstallImage(b.image))
	if err != nil {
		return nil, err
	}
	kind, err := machine.ParseType(role)
	if err != nil {
		return nil, err
	}
	generated, err := input.Config(kind)
	if err != nil {
		return nil, fmt.Errorf("generate a base for %s: %w", role, err)
	}
	text, err := generated.EncodeBytes(encode.WithComments(encode.CommentsDisabled))
	if err != nil {
		return nil, fmt.Errorf("encode the base for %s: %w", role, err)
	}
	b.texts[role] = text
	return text, nil
}

// fresh reads the base of a role. Each case needs its own: a patched copy shares values with the config that it was
// copied from, the cluster's endpoint for one.
func (b *bases) fresh(role string) (config.Provider, error) {
	text, err := b.text(role)
	if err != nil {
		return nil, err
	}
	base, err := configloader.NewFromBytes(text)
	if err != nil {
		return nil, fmt.Errorf("read the base for %s: %w", role, err)
	}
	return base, nil
}

// printBase writes a base with a placeholder for each value of the secrets bundle: the keys that lead to it there, joined
// by underscores, with `_pem` after them where the base has the decoded text.
func printBase(contract, role string, out io.Writer) error {
	b, err := newBases(contract)
	if err != nil {
		return err
	}
	text, err := b.text(role)
	if err != nil {
		return err
	}
	bundle, err := yaml.Marshal(b.secrets)
	if err != nil {
		return err
	}
	var secrets yaml.Node
	if err := yaml.Unmarshal(bundle, &secrets); err != nil {
		return err
	}
	names := map[string]string{}
	nameSecrets(&secrets, nil, names)
	documents, printed := yaml.NewDecoder(bytes.NewReader(text)), yaml.NewEncoder(out)
	printed.SetIndent(4)
	for {
		var document yaml.Node
		if err := documents.Decode(&document); errors.Is(err, io.EOF) {
			return printed.Close()
		} else if err != nil {
			return err
		}
		mask(&document, names)
		if err := printed.Encode(&document); err != nil {
			return err
		}
	}
}

// nameSecrets adds the placeholder of each value of a secrets bundle, by the value.
func nameSecrets(node *yaml.Node, path []string, names map[string]string) {
	if node.Kind == yaml.ScalarNode {
		name := strings.Join(path, "_")
		names[node.Value] = "${" + name + "}"
		if decoded, err := base64.StdEncoding.DecodeString(node.Value); err == nil && bytes.HasPrefix(decoded, []byte("-----")) {
			names[string(decoded)] = "${" + name + "_pem}"
		}
		return
	}
	for i := 0; i < len(node.Content); i++ {
		below := path
		if node.Kind == yaml.MappingNode {
			below = append(slices.Clone(path), node.Content[i].Value)
			i++
		}
		nameSecrets(node.Content[i], below, names)
	}
}

// mask writes the placeholder over each value of the secrets bundle.
func mask(node *yaml.Node, names map[string]string) {
	if name, ok := names[node.Value]; ok && node.Kind == yaml.ScalarNode {
		node.Value, node.Style = name, 0
	}
	for _, below := range node.Content {
		mask(below, names)
	}
}
