package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const typesHeader = `# The structs that Talos decodes its configuration documents into. Written by conformance/renew; do not edit.
# Source: github.com/siderolabs/talos/pkg/machinery %s; deprecations and secrets: conformance/notes.txt.
# Columns: struct, field, type, merge rule, first minor, last minor, deprecation, successors, ` + "`secret`" + `; ` + "`-`" + ` where there is nothing to say.
# Sorted by struct, field and first minor. Both minors are inclusive; the first is %[2]s where the field is older, and the last is
# ` + "`-`" + ` where %[3]s still has it. A field whose type or rule changed has a row for each.
# The struct of a document is named by its kind, the main document's ` + "`v1alpha1`" + `; the others have a dot in their names. The
# fields apiVersion and kind of documents are left out.
# Types: ` + "`!`" + ` what is written even if it is empty, ` + "`*`" + ` a pointer, ` + "`[]`" + ` a list, ` + "`{}`" + ` a mapping with free keys, ` + "`[*]` and `{*}`" + ` the same with items that must not be null, the name of
# a struct, ` + "`word:`" + ` and the words that are accepted, or a scalar.
# Merge rules: ` + "`replace`" + ` the whole value; ` + "`by:a+b`" + ` merges the items of a list that agree in a, or in b if they have no a; ` + "`replace-by:`" + `
# replaces them; ` + "`zero:`" + ` the word that does not overwrite; ` + "`sealed`" + ` cannot be merged.
# A deprecation is the minor of Talos that deprecated the field and the oldest base config that accepts its successors.
`

// fieldType is a type and a merge rule of a field, and the minors that have it.
type fieldType struct {
	structure, field, spelled string
	first, last               int
}

// writeTypes writes the table of types from what writeStructs wrote for each version, oldest first, and a file of notes.
func writeTypes(notesPath string, structPaths []string, out io.Writer) error {
	notes, err := readNotes(notesPath)
	if err != nil {
		return err
	}
	var rows []fieldType
	var versions []string
	var minors []int
	for _, path := range structPaths {
		version, lines, err := readStructs(path)
		if err != nil {
			return err
		}
		minor, err := minorOf(version)
		if err != nil {
			return err
		}
		rows = addMinor(rows, lines, minors, minor)
		versions, minors = append(versions, "v"+version), append(minors, minor)
	}
	slices.SortFunc(rows, func(a, b fieldType) int {
		return cmp.Or(cmp.Compare(a.structure, b.structure), cmp.Compare(a.field, b.field), cmp.Compare(a.first, b.first))
	})
	newest := minors[len(minors)-1]
	if _, err := fmt.Fprintf(out, typesHeader, strings.Join(versions, ", "), name(minors[0]), name(newest)); err != nil {
		return err
	}
	used := map[string]bool{}
	for _, row := range rows {
		last, key := "-", row.structure+" "+row.field
		if row.last != newest {
			last = name(row.last)
		}
		note := "- - -"
		if noted, ok := notes[key]; ok {
			note, used[key] = noted, true
		}
		if _, err := fmt.Fprintln(out, key, row.spelled, name(row.first), last, note); err != nil {
			return err
		}
	}
	for key := range notes {
		if !used[key] {
			return fmt.Errorf("%s: no version has the field %s", notesPath, key)
		}
	}
	return nil
}

// name returns a minor as the table writes it.
func name(minor int) string { return fmt.Sprintf("1.%d", minor) }

// addMinor adds the fields of one more minor: to the row of the minor before if it is the same, else as a row of their own.
func addMinor(rows []fieldType, lines [][4]string, before []int, minor int) []fieldType {
	open := map[[3]string]int{}
	for i, row := range rows {
		if len(before) > 0 && row.last == before[len(before)-1] {
			open[[3]string{row.structure, row.field, row.spelled}] = i
		}
	}
	for _, line := range lines {
		key := [3]string{line[0], line[1], line[2] + " " + line[3]}
		if i, ok := open[key]; ok {
			rows[i].last = minor
			continue
		}
		rows = append(rows, fieldType{key[0], key[1], key[2], minor, minor})
	}
	return rows
}

// readStructs returns the version and the fields of a file that writeStructs wrote.
func readStructs(path string) (string, [][4]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	var version string
	var lines [][4]string
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for scanner.Scan() {
		switch fields := strings.Split(scanner.Text(), " "); len(fields) {
		case 1:
			version = fields[0]
		case 4:
			lines = append(lines, [4]string(fields))
		default:
			return "", nil, fmt.Errorf("%s: %q", path, scanner.Text())
		}
	}
	return version, lines, scanner.Err()
}

// readNotes returns the last three columns of a file of notes by its first two.
func readNotes(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	notes := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, " ")
		if len(columns) != 5 {
			return nil, fmt.Errorf("%s: %q has not five columns", path, line)
		}
		key := columns[0] + " " + columns[1]
		if _, ok := notes[key]; ok {
			return nil, fmt.Errorf("%s: %s has two lines", path, key)
		}
		notes[key] = strings.Join(columns[2:], " ")
	}
	return notes, nil
}
