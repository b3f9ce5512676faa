// The judge reads expressions, one JSON object a line, and says what the official machinery makes of each: whether its
// environment takes it and, of selectors of disks, what it is for each disk of the file that the argument names.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"

	"github.com/siderolabs/talos/pkg/machinery/api/resource/definitions/block"
	talos "github.com/siderolabs/talos/pkg/machinery/cel"
	"github.com/siderolabs/talos/pkg/machinery/cel/celenv"
)

type question struct {
	Environment string `json:"environment"`
	Text        string `json:"text"`
}

type fixture struct {
	System bool            `json:"system"`
	Disk   *block.DiskSpec `json:"disk"`
}

func main() {
	environments := map[string]*cel.Env{
		"disk":        celenv.DiskLocator(),
		"volume":      celenv.VolumeLocator(),
		"link":        celenv.LinkLocator(),
		"oom-trigger": celenv.OOMTrigger(),
		"oom-ranking": celenv.OOMCgroupScoring(),
	}
	add(environments)

	var fixtures []fixture

	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(text, &fixtures)
	}

	if err != nil {
		panic(err)
	}

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}

		fmt.Println(judge(environments[asked.Environment], asked, fixtures))
	}
}

// judge says `.` if there is no such environment, `-` if it refuses the expression, and `+` if it takes it; behind that, of
// a selector of disks, T, F or E (it fails) for each disk.
func judge(environment *cel.Env, asked question, fixtures []fixture) string {
	if environment == nil {
		return "."
	}

	parse := talos.ParseBooleanExpression
	if asked.Environment == "oom-ranking" {
		parse = talos.ParseDoubleExpression
	}

	expression, err := parse(asked.Text, environment)
	if err != nil {
		return "-"
	}

	answer := "+"

	if asked.Environment == "disk" {
		for _, fixture := range fixtures {
			values := map[string]any{"disk": fixture.Disk, "system_disk": fixture.System}

			switch matches, err := expression.EvalBool(environment, values); {
			case err != nil:
				answer += "E"
			case matches:
				answer += "T"
			default:
				answer += "F"
			}
		}
	}

	return answer
}
