package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const about = "The results of the official Talos machinery for patches that are applied in order to a generated base config. " +
	"Keys of verdicts: version of the machinery / contract of the base. " +
	"`conformance/renew` writes this file from conformance/corpus."

// writeVerdicts writes cases with verdicts as one JSON document, each property on a line of its own.
func writeVerdicts(in io.Reader, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "{\n  \"about\": %s,\n  \"cases\": [", text(about)); err != nil {
		return err
	}
	separator := "\n"
	err := each(in, func(c *Case) error {
		var lines []string
		line := func(key string, value any) {
			lines = append(lines, fmt.Sprintf("      %s: %s", text(key), text(value)))
		}
		line("id", c.ID)
		if c.About != "" {
			line("about", c.About)
		}
		line("role", c.Role)
		if c.Strict {
			line("strict", c.Strict)
		}
		line("patches", c.Patches)
		var verdicts []string
		for _, pair := range slices.Sorted(maps.Keys(c.Verdicts)) {
			verdicts = append(verdicts, fmt.Sprintf("        %s: %s", text(pair), text(c.Verdicts[pair])))
		}
		lines = append(lines, "      \"verdicts\": {\n"+strings.Join(verdicts, ",\n")+"\n      }")
		_, err := fmt.Fprintf(out, "%s    {\n%s\n    }", separator, strings.Join(lines, ",\n"))
		separator = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, "\n  ]\n}\n")
	return err
}

// text returns a value as JSON on one line.
func text(value any) string {
	var buffer bytes.Buffer
	if err := encoder(&buffer).Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSpace(buffer.String())
}
