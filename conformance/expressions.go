package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/siderolabs/talos/pkg/machinery/api/resource/definitions/block"
	talos "github.com/siderolabs/talos/pkg/machinery/cel"
	"github.com/siderolabs/talos/pkg/machinery/cel/celenv"
)

// environments are the CEL environments of the machinery, by their names in the table of expressions.
var environments = map[string]func() *cel.Env{
	"disk":        celenv.DiskLocator,
	"volume":      celenv.VolumeLocator,
	"link":        celenv.LinkLocator,
	"oom-trigger": celenv.OOMTrigger,
	"oom-ranking": celenv.OOMCgroupScoring,
}

// fixture is a disk on which selectors are evaluated.
type fixture struct {
	System bool            `json:"system"`
	Disk   *block.DiskSpec `json:"disk"`
}

// evaluate reads rows of the table of expressions (`ENVIRONMENT SIGNS VALUES "EXPRESSION"`), and appends this machinery's sign
// to the signs of each: `.` if it does not have the environment, `-` if it refuses the expression, `+` if it accepts it. The
// values of an accepted selector of disks are T, F or E (an error) for each disk of the file.
func evaluate(disksPath string, in io.Reader, out io.Writer) error {
	text, err := os.ReadFile(disksPath)
	if err != nil {
		return err
	}
	var disks []fixture
	if err := json.Unmarshal(text, &disks); err != nil {
		return fmt.Errorf("%s: %w", disksPath, err)
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		row := strings.SplitN(lines.Text(), " ", 4)
		if row[0] != "#" {
			if row, err = evaluateRow(row, disks); err != nil {
				return fmt.Errorf("%s: %w", lines.Text(), err)
			}
		}
		if _, err := fmt.Fprintln(out, strings.Join(row, " ")); err != nil {
			return err
		}
	}
	return lines.Err()
}

func evaluateRow(row []string, disks []fixture) ([]string, error) {
	if len(row) != 4 {
		return nil, fmt.Errorf("%d columns instead of 4", len(row))
	}
	create, ok := environments[row[0]]
	if !ok {
		row[1] += "."
		return row, nil
	}
	var expression string
	if err := json.Unmarshal([]byte(row[3]), &expression); err != nil {
		return nil, err
	}
	environment, parse := create(), talos.ParseBooleanExpression
	if row[0] == "oom-ranking" {
		parse = talos.ParseDoubleExpression
	}
	parsed, err := parse(expression, environment)
	if err != nil {
		row[1] += "-"
		return row, nil
	}
	row[1] += "+"
	if row[0] != "disk" {
		return row, nil
	}
	values := ""
	for _, disk := range disks {
		switch matches, err := parsed.EvalBool(environment, map[string]any{"disk": disk.Disk, "system_disk": disk.System}); {
		case err != nil:
			values += "E"
		case matches:
			values += "T"
		default:
			values += "F"
		}
	}
	if row[2] != "-" && row[2] != values {
		return nil, fmt.Errorf("an older version has the values %s, this one %s", row[2], values)
	}
	row[2] = values
	return row, nil
}
