package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siderolabs/talos/pkg/machinery/config"
)

// verified returns the cases that verify writes.
func verified(t *testing.T, contract string, cases ...Case) []Case {
	t.Helper()
	var in, out bytes.Buffer
	for _, c := range cases {
		if err := encoder(&in).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := verify([]string{contract}, &in, &out); err != nil {
		t.Fatal(err)
	}
	var all []Case
	if err := each(&out, func(c *Case) error { all = append(all, *c); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestACaseLeavesTheBaseAsItWas(t *testing.T) {
	endpoint := Case{ID: "endpoint", Role: "controlplane", Patches: []string{"cluster:\n  controlPlane:\n    endpoint: \"\"\n"}}
	nothing := Case{ID: "nothing", Role: "controlplane", Patches: []string{"machine: {}\n"}}
	all := verified(t, "v1.12", endpoint, nothing)
	if got := all[1].Verdicts; len(got) != 1 {
		t.Fatalf("verdicts: %v", got)
	}
	for pair, verdict := range all[1].Verdicts {
		if verdict.Verdict != "ok" {
			t.Errorf("%s: %v", pair, verdict)
		}
	}
}

func TestABaseThatIsNewerThanTheMachineryIsNotUsed(t *testing.T) {
	all := verified(t, "v1.12", Case{ID: "later", Role: "worker", Base: "v1.99", Patches: []string{"machine: {}\n"}})
	if len(all) != 1 || len(all[0].Verdicts) != 0 {
		t.Errorf("%v", all)
	}
}

// broken is a config without any of its methods.
type broken struct{ config.Provider }

func TestAPanicIsAnError(t *testing.T) {
	_, _, err := apply(broken{}, []string{"machine: {}\n"}, false)
	if err == nil || !strings.HasPrefix(err.Error(), "apply: panic: ") {
		t.Errorf("%v", err)
	}
}

func TestAListOfErrorsIsFlattened(t *testing.T) {
	err := fmt.Errorf("validate: %w", errors.Join(
		errors.New("one"),
		fmt.Errorf("document: %w", errors.Join(errors.New("two"), errors.New("three"))),
	))
	expected := []string{"validate: one", "validate: document: two", "validate: document: three"}
	if got := flatten(err); !slices.Equal(got, expected) {
		t.Errorf("%q", got)
	}
}

func TestOneSeedGivesTheSameMutants(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verdicts.json")
	text := `{"cases": [{"id": "a/b", "role": "worker", "patches": ["machine:\n  certSANs: [a, b]\n"], "verdicts": {"x": {"verdict": "ok"}}}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	disagreements := filepath.Join(t.TempDir(), "disagreements.txt")
	if err := os.WriteFile(disagreements, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var first, second, other bytes.Buffer
	for out, seed := range map[*bytes.Buffer]string{&first: "1", &second: "1", &other: "2"} {
		if err := mutate("20", seed, path, disagreements, out); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() {
		t.Error("one seed, two lists")
	}
	if first.String() == other.String() {
		t.Error("two seeds, one list")
	}
}

func TestAWarningIsExplainedByAPartOfIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warnings.txt")
	if err := os.WriteFile(path, []byte("# why\n\nold key\n    since it is new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for message, fine := range map[string]bool{"the old key is deprecated": true, "since it is new": false} {
		var in, out bytes.Buffer
		c := Case{ID: "a", Verdicts: map[string]Verdict{"x": {Verdict: "warning", Messages: []string{message}}}}
		if err := encoder(&in).Encode(c); err != nil {
			t.Fatal(err)
		}
		if err := report(path, &in, &out); (err == nil) != fine {
			t.Errorf("%s: %v", message, err)
		}
	}
}

func TestAFieldHasARowForEachTypeAndGap(t *testing.T) {
	var rows []fieldType
	var before []int
	for minor, types := range [][]string{{"text -", "bool -"}, {"text -"}, {"[]text replace", "bool -"}, {"[]text replace", "bool -"}} {
		var lines [][4]string
		for i, spelled := range types {
			kind, rule, _ := strings.Cut(spelled, " ")
			lines = append(lines, [4]string{"Kind", []string{"a", "b"}[i], kind, rule})
		}
		rows = addMinor(rows, lines, before, minor)
		before = append(before, minor)
	}
	expected := []fieldType{
		{"Kind", "a", "text -", 0, 1}, {"Kind", "b", "bool -", 0, 0},
		{"Kind", "a", "[]text replace", 2, 3}, {"Kind", "b", "bool -", 2, 3},
	}
	if !slices.Equal(rows, expected) {
		t.Errorf("%v", rows)
	}
}

func TestAVerdictThatDiffersIsReported(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verdicts.json")
	if err := os.WriteFile(path, []byte(`{"cases": [{"id": "a/b", "verdicts": {"x": {"verdict": "ok"}}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for verdict, same := range map[string]bool{"ok": true, "error": false} {
		var in, out bytes.Buffer
		if err := encoder(&in).Encode(Case{ID: "a/b", Verdicts: map[string]Verdict{"x": {Verdict: verdict}}}); err != nil {
			t.Fatal(err)
		}
		if err := compare(path, &in, &out); (err == nil) != same {
			t.Errorf("%s: %v\n%s", verdict, err, out.String())
		}
	}
}
