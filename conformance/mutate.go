package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// mutator changes accepted cases at random, the same way for the same seed.
type mutator struct {
	random *rand.Rand
	// sources are the cases of the file of verdicts that some machinery accepts.
	sources []Case
	// keys and values are those of their patches, which are valid somewhere else.
	keys   []string
	values []string
}

// mutate writes cases that are each an accepted case of the file of verdicts with one or two things changed. Cases in the file
// of disagreements are left out: their mutations disagree for the same reasons.
func mutate(count, seed, path, disagreements string, out io.Writer) error {
	number, random, err := generator(count, seed)
	if err != nil {
		return err
	}
	m, err := newMutator(path, disagreements, random)
	if err != nil {
		return err
	}
	lines := encoder(out)
	seen := map[string]bool{}
	for i := 0; i < number; {
		source := m.sources[m.random.IntN(len(m.sources))]
		mutant, what := m.mutant(source)
		if text := text(mutant); what == "" || seen[text] {
			continue
		} else {
			seen[text] = true
		}
		mutant.ID = fmt.Sprintf("mutant-%s/%05d", seed, i)
		mutant.About = what + " in " + source.ID
		if err := lines.Encode(mutant); err != nil {
			return err
		}
		i++
	}
	return nil
}

func newMutator(path, disagreements string, random *rand.Rand) (*mutator, error) {
	cases, err := readVerdicts(path)
	if err != nil {
		return nil, err
	}
	excluded, err := os.ReadFile(disagreements)
	if err != nil {
		return nil, err
	}
	m := &mutator{random: random}
	for _, c := range cases {
		accepted := false
		for _, verdict := range c.Verdicts {
			accepted = accepted || verdict.Verdict != "error"
		}
		if !accepted || c.Strict || strings.Contains(string(excluded), "\n"+c.ID+"  ") {
			continue
		}
		m.sources = append(m.sources, c)
		for _, patch := range c.Patches {
			documents, _ := parse(patch)
			for _, document := range documents {
				m.collect(document)
			}
		}
	}
	for _, words := range []*[]string{&m.keys, &m.values} {
		slices.Sort(*words)
		*words = slices.Compact(*words)
	}
	if len(m.keys) == 0 || len(m.values) == 0 {
		return nil, fmt.Errorf("%s: no accepted case", path)
	}
	return m, nil
}

func (m *mutator) collect(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		m.values = append(m.values, node.Value)
	}
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			m.keys = append(m.keys, child.Value)
		} else {
			m.collect(child)
		}
	}
}

// mutant returns a changed copy of a case and a description of the change, or nil if the change was not possible in it.
func (m *mutator) mutant(source Case) (*Case, string) {
	mutant := &Case{Role: source.Role, Patches: slices.Clone(source.Patches)}
	switch m.random.IntN(20) {
	case 0:
		mutant.Role = map[string]string{"controlplane": "worker", "worker": "controlplane"}[source.Role]
		return mutant, "other role"
	case 1:
		other := m.sources[m.random.IntN(len(m.sources))]
		mutant.Patches = append(mutant.Patches, other.Patches...)
		return mutant, "the patches of " + other.ID + " after those"
	case 2:
		mutant.Patches = append(mutant.Patches, mutant.Patches[m.random.IntN(len(mutant.Patches))])
		return mutant, "a patch twice"
	}
	at := m.random.IntN(len(mutant.Patches))
	documents, err := parse(mutant.Patches[at])
	if err != nil || len(documents) == 0 {
		return nil, ""
	}
	what := m.change(&documents)
	if what != "" && m.random.IntN(4) == 0 {
		if more := m.change(&documents); more != "" {
			what += ", " + more
		}
	}
	if mutant.Patches[at], err = join(documents); err != nil {
		return nil, ""
	}
	return mutant, what
}

// parse returns the documents of a patch.
func parse(patch string) ([]*yaml.Node, error) {
	var documents []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(patch)))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		documents = append(documents, &document)
	}
}

// join returns documents as a patch.
func join(documents []*yaml.Node) (string, error) {
	var buffer bytes.Buffer
	encoder := yaml.NewEncoder(&buffer)
	encoder.SetIndent(2)
	for _, document := range documents {
		if err := encoder.Encode(document); err != nil {
			return "", err
		}
	}
	err := encoder.Close()
	return buffer.String(), err
}
