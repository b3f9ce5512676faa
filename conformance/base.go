package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// placeholder replaces every key, certificate, token and ID in a printed base.
const placeholder = "placeholder"

// installer returns the image that `talosctl gen config` of a release puts into the base.
func installer(minor int) string {
	if minor >= 14 {
		return fmt.Sprintf("factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:v1.%d.0", minor)
	}
	return fmt.Sprintf("ghcr.io/siderolabs/installer:v1.%d.0", minor)
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
	return &bases{contract: version, image: installer(minor), secrets: bundle, texts: map[string][]byte{}}, nil
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

// printBase writes a base with a placeholder wherever two bases with unlike secrets differ.
func printBase(contract, role string, out io.Writer) error {
	var texts [2][]byte
	for i := range texts {
		b, err := newBases(contract)
		if err != nil {
			return err
		}
		if texts[i], err = b.text(role); err != nil {
			return err
		}
	}
	one, other := yaml.NewDecoder(bytes.NewReader(texts[0])), yaml.NewDecoder(bytes.NewReader(texts[1]))
	printed := yaml.NewEncoder(out)
	printed.SetIndent(4)
	for {
		var left, right yaml.Node
		if err := one.Decode(&left); errors.Is(err, io.EOF) {
			return printed.Close()
		} else if err != nil {
			return err
		}
		if err := other.Decode(&right); err != nil {
			return err
		}
		if err := mask(&left, &right); err != nil {
			return err
		}
		if err := printed.Encode(&left); err != nil {
			return err
		}
	}
}

// mask writes the placeholder over each scalar that differs from its twin.
func mask(node, twin *yaml.Node) error {
	if node.Kind != twin.Kind || len(node.Content) != len(twin.Content) {
		return fmt.Errorf("two bases of one contract differ in shape at line %d", node.Line)
	}
	if node.Value != twin.Value {
		node.Value, node.Style = placeholder, 0
	}
	for i := range node.Content {
		if err := mask(node.Content[i], twin.Content[i]); err != nil {
			return err
		}
	}
	return nil
}
