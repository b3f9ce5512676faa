package main

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// position is a value: the node that contains it and its index there. In a mapping its key is the node before it.
type position struct {
	parent *yaml.Node
	index  int
}

func (s position) node() *yaml.Node { return s.parent.Content[s.index] }

func (s position) key() *yaml.Node {
	if s.parent.Kind == yaml.MappingNode {
		return s.parent.Content[s.index-1]
	}
	return nil
}

// positions returns all values below a node.
func positions(node *yaml.Node) []position {
	var all []position
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		if node.Kind != yaml.DocumentNode {
			all = append(all, position{node, i})
		}
		all = append(all, positions(child)...)
	}
	return all
}

// change makes one change in the documents of a patch and returns a description of it, empty if the change was not possible.
func (m *mutator) change(documents *[]*yaml.Node) string {
	at := m.random.IntN(len(*documents))
	document := (*documents)[at]
	all := positions(document)
	if len(all) == 0 {
		return ""
	}
	s := all[m.random.IntN(len(all))]
	key, node := s.key(), s.node()
	switch m.random.IntN(15) {
	case 0, 1:
		from := s.index
		if key != nil {
			from--
		}
		s.parent.Content = slices.Delete(s.parent.Content, from, s.index+1)
		return "a key deleted"
	case 2, 3:
		if key == nil {
			return ""
		}
		renamed := m.misspelled(key.Value)
		if renamed == key.Value {
			return ""
		}
		key.Value = renamed
		return "a key misspelled"
	case 4:
		if key == nil {
			return ""
		}
		key.Value = m.keys[m.random.IntN(len(m.keys))]
		return "a key of another place"
	case 5, 6:
		return m.retype(s)
	case 7, 8:
		if node.Kind != yaml.ScalarNode {
			return ""
		}
		*node = yaml.Node{Kind: yaml.ScalarNode, Value: m.values[m.random.IntN(len(m.values))]}
		return "a value of another place"
	case 9:
		if node.Kind != yaml.ScalarNode || node.Value == "" {
			return ""
		}
		*node = yaml.Node{Kind: yaml.ScalarNode, Value: m.misspelled(node.Value)}
		return "a value misspelled"
	case 10, 11:
		if node.Kind != yaml.ScalarNode {
			return ""
		}
		numbers := []string{"-1", "0", "1", "65536", "4294967296", "18446744073709551616", "1.5", "-0.1", "1e3", "0x10", "101", "999999"}
		*node = yaml.Node{Kind: yaml.ScalarNode, Value: numbers[m.random.IntN(len(numbers))]}
		return "a number out of range"
	case 12:
		*documents = append(*documents, document)
		return "a document twice"
	case 13:
		for _, kind := range all {
			if kind.key() != nil && kind.key().Value == "kind" && kind.parent == document.Content[0] {
				kind.node().Value = m.kind()
				return "another kind"
			}
		}
		return ""
	default:
		if key == nil || node.Kind == yaml.ScalarNode {
			return ""
		}
		*node = yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Value: "$patch"}, {Kind: yaml.ScalarNode, Value: "delete"},
		}}
		return "a section deleted by patch"
	}
}

// kind returns the kind of a random document of the sources.
func (m *mutator) kind() string {
	for {
		source := m.sources[m.random.IntN(len(m.sources))]
		_, after, found := strings.Cut(source.Patches[0], "kind: ")
		if line, _, _ := strings.Cut(after, "\n"); found && line != "" {
			return line
		}
	}
}

// misspelled returns a word with one mistake, of those that people make.
func (m *mutator) misspelled(word string) string {
	letters := []rune(word)
	if len(letters) == 0 {
		return "x"
	}
	at := m.random.IntN(len(letters))
	switch m.random.IntN(6) {
	case 0:
		return string(slices.Delete(letters, at, at+1))
	case 1:
		return string(slices.Insert(letters, at, letters[at]))
	case 2:
		if at+1 < len(letters) {
			letters[at], letters[at+1] = letters[at+1], letters[at]
		}
		return string(letters)
	case 3:
		if unicode.IsUpper(letters[at]) {
			letters[at] = unicode.ToLower(letters[at])
		} else {
			letters[at] = unicode.ToUpper(letters[at])
		}
		return string(letters)
	case 4:
		return strings.ToLower(word)
	default:
		return word + "s"
	}
}

// retype changes what kind of value a node is.
func (m *mutator) retype(s position) string {
	node := s.node()
	switch node.Kind {
	case yaml.ScalarNode:
		switch m.random.IntN(5) {
		case 0:
			*node = yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: node.Value}}}
			return "a list for a value"
		case 1:
			*node = yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
				{Kind: yaml.ScalarNode, Value: "value"}, {Kind: yaml.ScalarNode, Value: node.Value},
			}}
			return "a mapping for a value"
		case 2:
			node.Tag, node.Style = "!!str", yaml.DoubleQuotedStyle
			return "quotes around a value"
		case 3:
			*node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
			return "null for a value"
		default:
			*node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}
			return "true for a value"
		}
	case yaml.SequenceNode:
		if len(node.Content) == 0 {
			return ""
		}
		switch m.random.IntN(3) {
		case 0:
			*node = *node.Content[0]
			return "a value for a list"
		case 1:
			node.Content = append(node.Content, node.Content[0])
			return "an item twice"
		default:
			node.Content = nil
			return "an empty list"
		}
	case yaml.MappingNode:
		switch m.random.IntN(3) {
		case 0:
			*node = yaml.Node{Kind: yaml.ScalarNode, Value: "enabled"}
			return "a value for a mapping"
		case 1:
			*node = yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: node.Kind, Content: node.Content}}}
			return "a list for a mapping"
		default:
			node.Content = nil
			return "an empty mapping"
		}
	default:
		return ""
	}
}
