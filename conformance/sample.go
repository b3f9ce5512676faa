package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
)

// sample writes a number of cases chosen at random, the same for the same seed, in their order.
func sample(count, seed string, in io.Reader, out io.Writer) error {
	number, random, err := generator(count, seed)
	if err != nil {
		return err
	}
	var cases []*Case
	if err := each(in, func(c *Case) error { cases = append(cases, c); return nil }); err != nil {
		return err
	}
	chosen := random.Perm(len(cases))[:min(number, len(cases))]
	slices.Sort(chosen)
	lines := encoder(out)
	for _, i := range chosen {
		if err := lines.Encode(cases[i]); err != nil {
			return err
		}
	}
	return nil
}

// generator parses the number of cases to write, and the seed of the generator that chooses them.
func generator(count, seed string) (int, *rand.Rand, error) {
	number, err := strconv.Atoi(count)
	if err != nil {
		return 0, nil, err
	}
	start, err := strconv.ParseUint(seed, 10, 64)
	return number, rand.New(rand.NewPCG(start, 0)), err
}

// compare fails if a verdict of the cases with verdicts differs from that in a file of verdicts, and prints both.
func compare(path string, in io.Reader, out io.Writer) error {
	cases, err := readVerdicts(path)
	if err != nil {
		return err
	}
	known := map[string]map[string]Verdict{}
	for _, c := range cases {
		known[c.ID] = c.Verdicts
	}
	verdicts, different := 0, 0
	err = each(in, func(c *Case) error {
		for pair, verdict := range c.Verdicts {
			verdicts++
			if committed := known[c.ID][pair]; !reflect.DeepEqual(committed, verdict) {
				different++
				fmt.Fprintf(out, "%s, %s:\n  committed %s\n  machinery %s\n", c.ID, pair, text(committed), text(verdict))
			}
		}
		return nil
	})
	fmt.Fprintf(out, "%d verdicts compared with %s, %d differ\n", verdicts, path, different)
	if err == nil && (different > 0 || verdicts == 0) {
		err = errors.New("the committed verdicts differ; conformance/renew writes them")
	}
	return err
}

// readVerdicts returns the cases of a file of verdicts.
func readVerdicts(path string) ([]Case, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Cases []Case `json:"cases"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file.Cases, nil
}
