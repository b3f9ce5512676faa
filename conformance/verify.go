package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	encode "github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
	"go.yaml.in/yaml/v4"
)

// metal is the runtime mode of a bare-metal node.
type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

// verify adds this machinery's verdicts to every case: on a base of each contract, or on the base that the case specifies if
// the machinery is not older.
func verify(contracts []string, in io.Reader, out io.Writer) error {
	version, minor, err := ownMinor()
	if err != nil {
		return err
	}
	byContract := map[string]*bases{}
	lines := encoder(out)
	return each(in, func(c *Case) error {
		on := contracts
		if c.Base != "" {
			own, err := minorOf(c.Base)
			if err != nil {
				return fmt.Errorf("%s: %w", c.ID, err)
			}
			on = []string{c.Base}
			if own > minor {
				on = nil
			}
		}
		if c.Verdicts == nil {
			c.Verdicts = map[string]Verdict{}
		}
		for _, contract := range on {
			if byContract[contract] == nil {
				if byContract[contract], err = newBases(contract); err != nil {
					return err
				}
			}
			base, err := byContract[contract].fresh(c.Role)
			if err != nil {
				return err
			}
			c.Verdicts[version+"/"+contract] = c.verify(base)
		}
		return lines.Encode(c)
	})
}

// verify applies the patches of the case to a base as talosctl does, and reads and validates the result as a node does.
func (c *Case) verify(base config.Provider) Verdict {
	text, warnings, err := apply(base, c.Patches, c.Strict)
	verdict := Verdict{Verdict: "ok", Messages: warnings}
	switch {
	case err != nil:
		verdict = Verdict{Verdict: "error", Messages: flatten(err)}
	case len(warnings) > 0:
		verdict.Verdict = "warning"
	}
	slices.Sort(verdict.Messages)
	if text != nil {
		verdict.Effect = effect(text, c.Shows)
	}
	return verdict
}

// apply returns the patched config if there is one, the warnings, and the first stage's errors. A panic of the machinery
// is an error.
func apply(base config.Provider, patches []string, strict bool) (text []byte, warnings []string, err error) {
	stage := "load"
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", stage, err)
		}
	}()

	loaded := make([]configpatcher.Patch, 0, len(patches))
	for i, patch := range patches {
		if len(patches) > 1 {
			stage = fmt.Sprintf("load %d", i+1)
		}
		one, err := configpatcher.LoadPatch([]byte(patch))
		if err != nil {
			return nil, nil, err
		}
		loaded = append(loaded, one)
	}

	stage = "apply"
	output, err := configpatcher.Apply(configpatcher.WithConfig(base), loaded)
	if err != nil {
		return nil, nil, err
	}
	patched, err := output.Config()
	if err != nil {
		return nil, nil, err
	}

	stage = "encode"
	if text, err = patched.EncodeBytes(encode.WithComments(encode.CommentsDisabled)); err != nil {
		return nil, nil, err
	}

	stage = "reload"
	final, err := configloader.NewFromBytes(text)
	if err != nil {
		return text, nil, err
	}

	stage = "validate"
	options := []validation.Option{validation.WithLocal()}
	if strict {
		options = append(options, validation.WithStrict())
	}
	warnings, err = final.Validate(metal{}, options...)
	return text, warnings, err
}

// flatten returns the text of each single error, with what is written before the list that holds it.
func flatten(err error) []string {
	var list []error
	switch several := err.(type) {
	case interface{ WrappedErrors() []error }:
		list = several.WrappedErrors()
	case interface{ Unwrap() []error }:
		list = several.Unwrap()
	}
	if list != nil {
		var all []string
		for _, one := range list {
			all = append(all, flatten(one)...)
		}
		return all
	}
	inner := errors.Unwrap(err)
	if inner == nil {
		return []string{strings.TrimSpace(err.Error())}
	}
	before, ok := strings.CutSuffix(err.Error(), inner.Error())
	if !ok {
		return []string{strings.TrimSpace(err.Error())}
	}
	all := flatten(inner)
	for i := range all {
		all[i] = before + all[i]
	}
	return all
}

// effect returns the named parts of a config.
func effect(text []byte, shows []string) map[string]any {
	if len(shows) == 0 {
		return nil
	}
	documents := map[string]any{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document map[string]any
		if err := decoder.Decode(&document); err != nil {
			break
		}
		id := "v1alpha1"
		if kind, ok := document["kind"].(string); ok {
			id = kind
			if name, ok := document["name"].(string); ok {
				id += "/" + name
			}
		}
		delete(document, "apiVersion")
		delete(document, "kind")
		documents[id] = document
	}
	parts := map[string]any{}
	for _, show := range shows {
		id, path, nested := strings.Cut(show, ":")
		part := documents[id]
		if nested {
			for _, key := range strings.Split(path, ".") {
				mapping, _ := part.(map[string]any)
				part = mapping[key]
			}
		}
		parts[show] = part
	}
	return parts
}
