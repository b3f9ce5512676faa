// Command talos-conformance runs the official Talos machinery on machine-config patches.
//
// It is built once for each version of the machinery. Cases go in and out as JSON lines, so that the programs of several
// versions form one pipeline, each adding its verdicts:
//
//	talos-conformance cases FILE...            reads corpus files, writes cases
//	talos-conformance mutate COUNT SEED FILE DISAGREEMENTS  writes random mutations of accepted cases
//	talos-conformance sample COUNT SEED        reads cases, writes some of them
//	talos-conformance reboots COUNT SEED       reads cases, writes changes between them and whether a node reboots
//	talos-conformance compare FILE             reads cases with verdicts, fails if a file of verdicts has other verdicts
//	talos-conformance verify CONTRACT...        reads cases, adds this machinery's verdict on a base of each contract
//	talos-conformance verdicts                 reads cases with verdicts, writes the file of verdicts
//	talos-conformance devices TALOSMITH ROOT...  writes a case for each device of the repositories
//	talos-conformance report WARNINGS          reads cases with verdicts, fails on an error or an unexplained warning
//	talos-conformance nodes COUNT SEED ROOT    reads cases, writes a repository with some of them as devices
//	talos-conformance configs TALOSMITH SNAPSHOT ROOT...  fails if talosmith makes other machine configs for the devices; changes the repositories
//	talos-conformance expressions DISKS        reads the table of CEL expressions, adds this machinery's results
//	talos-conformance base CONTRACT ROLE       writes the generated base without comments and secrets
//	talos-conformance structs                  writes the fields of this machinery's documents
//	talos-conformance types NOTES STRUCTS...   writes the table of types from the fields of each version, oldest first
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

const machinery = "github.com/siderolabs/talos/pkg/machinery"

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Args[1:], os.Stdin, out)
	if err = errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintf(os.Stderr, "talos-conformance: %v\n", err)
		os.Exit(2)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("no command, see main.go")
	}
	command, args := args[0], args[1:]
	switch {
	case command == "cases" && len(args) > 0:
		return readCorpus(args, out)
	case command == "mutate" && len(args) == 4:
		return mutate(args[0], args[1], args[2], args[3], out)
	case command == "verify" && len(args) > 0:
		return verify(args, in, out)
	case command == "sample" && len(args) == 2:
		return sample(args[0], args[1], in, out)
	case command == "reboots" && len(args) == 2:
		return reboots(args[0], args[1], in, out)
	case command == "compare" && len(args) == 1:
		return compare(args[0], in, out)
	case command == "verdicts" && len(args) == 0:
		return writeVerdicts(in, out)
	case command == "devices" && len(args) > 1:
		return readDevices(args[0], args[1:], out)
	case command == "report" && len(args) == 1:
		return report(args[0], in, out)
	case command == "nodes" && len(args) == 3:
		return writeNodes(args[0], args[1], args[2], in)
	case command == "configs" && len(args) > 2:
		return compareConfigs(args[0], args[1], args[2:], out)
	case command == "expressions" && len(args) == 1:
		return evaluate(args[0], in, out)
	case command == "base" && len(args) == 2:
		return printBase(args[0], args[1], out)
	case command == "structs" && len(args) == 0:
		return writeStructs(out)
	case command == "types" && len(args) > 1:
		return writeTypes(args[0], args[1:], out)
	default:
		return fmt.Errorf("unknown command or wrong number of arguments: %s %s", command, strings.Join(args, " "))
	}
}

// ownMinor returns the version of the machinery that this program was built with, and its minor.
func ownMinor() (string, int, error) {
	version, err := machineryVersion()
	if err != nil {
		return "", 0, err
	}
	minor, err := minorOf(version)
	return version, minor, err
}

// machineryVersion returns the version of the machinery that this program was built with, without its "v".
func machineryVersion() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("the program has no build information")
	}
	for _, module := range info.Deps {
		if module.Path == machinery {
			return strings.TrimPrefix(module.Version, "v"), nil
		}
	}
	return "", errors.New("the program was built without the machinery")
}

// each calls f with every case that in holds.
func each(in io.Reader, f func(*Case) error) error {
	decoder := json.NewDecoder(in)
	for {
		var c Case
		if err := decoder.Decode(&c); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a case: %w", err)
		}
		if err := f(&c); err != nil {
			return err
		}
	}
}

// encoder returns a writer of JSON that leaves <, > and & as they are.
func encoder(out io.Writer) *json.Encoder {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e
}
