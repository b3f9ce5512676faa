package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Case is a list of patches that are applied in order to a generated base, and what became of them.
type Case struct {
	// ID is the topic and the name of the case.
	ID string `json:"id"`
	// About describes the case, if its name is not enough.
	About string `json:"about,omitempty"`
	// Role of the base: controlplane or worker.
	Role string `json:"role"`
	// Base is the contract of the only base that the case is for.
	Base string `json:"base,omitempty"`
	// Strict makes deprecations errors, as `talosctl validate --strict` does.
	Strict bool `json:"strict,omitempty"`
	// Patches are the texts of the patch files.
	Patches []string `json:"patches"`
	// Shows are the parts of the patched config that the verdict holds: `Kind`, `Kind/name` or `v1alpha1:path.of.keys`.
	Shows []string `json:"shows,omitempty"`
	// Of a case that is a device.
	node node
	// Verdicts by `<version of the machinery>/<contract of the base>`.
	Verdicts map[string]Verdict `json:"verdicts,omitempty"`
}

// Verdict is the result of one machinery for a case.
type Verdict struct {
	// Verdict is ok, warning or error.
	Verdict string `json:"verdict"`
	// Messages are the errors if there are any, and else the warnings, in alphabetical order.
	Messages []string `json:"messages,omitempty"`
	// Effect is what became of the parts that the case shows; null is a part that is not there.
	Effect map[string]any `json:"effect,omitempty"`
}

// topic is a file of the corpus.
type topic struct {
	About string       `yaml:"about"`
	Cases []corpusCase `yaml:"cases"`
}

type corpusCase struct {
	Name    string   `yaml:"name"`
	About   string   `yaml:"about"`
	Role    string   `yaml:"role"`
	Strict  bool     `yaml:"strict"`
	Patches []string `yaml:"patches"`
	Shows   []string `yaml:"shows"`
}

// readCorpus writes the cases of the corpus files as JSON lines. The name of a file is the topic of its cases.
func readCorpus(paths []string, out io.Writer) error {
	lines := encoder(out)
	seen := map[string]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var t topic
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		decoder.KnownFields(true)
		if err := decoder.Decode(&t); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		for _, c := range t.Cases {
			read, err := c.read(name)
			if err == nil && seen[read.ID] {
				err = errors.New("a second case of this name")
			}
			if err != nil {
				return fmt.Errorf("%s: case %q: %w", path, c.Name, err)
			}
			seen[read.ID] = true
			if err := lines.Encode(read); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c corpusCase) read(topic string) (*Case, error) {
	if c.Role == "" {
		c.Role = "controlplane"
	}
	switch {
	case c.Name == "":
		return nil, errors.New("no name")
	case c.Role != "controlplane" && c.Role != "worker":
		return nil, fmt.Errorf("role %q", c.Role)
	case len(c.Patches) == 0:
		return nil, errors.New("no patches")
	}
	return &Case{
		ID:      topic + "/" + c.Name,
		About:   c.About,
		Role:    c.Role,
		Strict:  c.Strict,
		Patches: c.Patches,
		Shows:   c.Shows,
	}, nil
}
