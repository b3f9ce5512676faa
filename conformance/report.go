package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// report writes a line for each verdict, and fails at an error, at a warning that the file does not explain, and at a
// device without a verdict.
func report(path string, in io.Reader, out io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	explained := explanations(string(text))
	refused := 0
	err = each(in, func(c *Case) error {
		if len(c.Verdicts) == 0 {
			return fmt.Errorf("%s: no machinery is as new as its base %s", c.ID, c.Base)
		}
		for _, pair := range slices.Sorted(maps.Keys(c.Verdicts)) {
			verdict := c.Verdicts[pair]
			fine := verdict.Verdict != "error"
			var lines []string
			for _, message := range verdict.Messages {
				known := fine && slices.ContainsFunc(explained, func(part string) bool { return strings.Contains(message, part) })
				if known {
					message += " (explained)"
				} else {
					fine = false
				}
				lines = append(lines, "    "+strings.ReplaceAll(message, "\n", "\n    "))
			}
			if !fine {
				refused++
			}
			head := fmt.Sprintf("%s, %s, %d files: %s", c.ID, pair, len(c.Patches), verdict.Verdict)
			if _, err := fmt.Fprintln(out, strings.Join(append([]string{head}, lines...), "\n")); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && refused > 0 {
		err = errors.New("an error, or a warning that is not in " + path)
	}
	return err
}

// explanations returns the parts of messages in a file of warnings: its lines that are neither indented nor comments.
func explanations(text string) []string {
	var parts []string
	for _, line := range strings.Split(text, "\n") {
		if line != "" && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "#") {
			parts = append(parts, line)
		}
	}
	return parts
}
