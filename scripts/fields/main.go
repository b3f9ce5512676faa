// Command fields prints every field that a configuration document of one version of Talos has, as JSON: its path, how Go decodes
// it, and the words that it takes if they are counted.
//
// It stands in a copy of the machinery's module, since the registry of documents is internal to it; ../fields.py puts it there.
package main

import (
	"encoding"
	"encoding/json"
	"log"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	_ "github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/internal/registry"
)

// field is a row: Type is the kind of a Go value, `text:` or `yaml:` and the name of a type that reads itself, behind `[]` for
// each list and `{}` for each mapping around it; a `*` behind the bracket says that the items are pointers.
type field struct {
	Path, Type string
	Words      []string
}

// legacy is the older of the two interfaces that a type reads YAML by.
type legacy interface {
	UnmarshalYAML(unmarshal func(any) error) error
}

var (
	readsText   = reflect.TypeFor[encoding.TextUnmarshaler]()
	readsNode   = reflect.TypeFor[yaml.Unmarshaler]()
	readsLegacy = reflect.TypeFor[legacy]()
)

type walk struct {
	fields []field
}

func main() {
	var found walk
	for kind, create := range registry.All() {
		found.structure(reflect.TypeOf(create("v1alpha1")), kind)
	}
	slices.SortFunc(found.fields, func(a, b field) int { return strings.Compare(a.Path, b.Path) })
	if err := json.NewEncoder(os.Stdout).Encode(found.fields); err != nil {
		log.Fatal(err)
	}
}

// structure adds the fields of a struct.
func (w *walk) structure(t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case key == "-" || (f.PkgPath != "" && !f.Anonymous):
			continue
		case strings.Contains(options, "inline"):
			w.structure(f.Type, path)
			continue
		case key == "":
			key = strings.ToLower(f.Name)
		}
		row := field{Path: path + "." + key}
		row.Type, row.Words = w.describe(f.Type, row.Path)
		w.fields = append(w.fields, row)
	}
}

// describe says how a value is decoded, and adds the fields below it.
func (w *walk) describe(t reflect.Type, path string) (string, []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pointer := reflect.PointerTo(t)
	switch {
	case strings.HasPrefix(t.String(), "x509.PEMEncoded"):
		// Its UnmarshalYAML reads a struct of texts in base64, of which keys may be masked.
		for i := range t.NumField() {
			key := strings.ToLower(t.Field(i).Name)
			w.fields = append(w.fields, field{Path: path + "." + key, Type: "yaml:x509." + key})
		}
		return "struct", nil
	case pointer.Implements(readsNode) && t.Kind() == reflect.Slice:
		// Its UnmarshalYAML only trims what it decoded as usual.
		w.structure(t.Elem(), path)
		return "[]struct", nil
	case pointer.Implements(readsNode) || pointer.Implements(readsLegacy):
		return "yaml:" + t.String(), nil
	case pointer.Implements(readsText):
		return "text:" + t.String(), words(t)
	}
	switch t.Kind() {
	case reflect.Struct:
		if f, ok := t.FieldByName("Object"); ok && f.Type.Kind() == reflect.Map && t.NumField() == 1 {
			return w.describe(f.Type, path)
		}
		w.structure(t, path)
		return "struct", nil
	case reflect.Slice, reflect.Map:
		brackets := map[reflect.Kind]string{reflect.Slice: "[", reflect.Map: "{"}[t.Kind()]
		if t.Elem().Kind() == reflect.Pointer {
			brackets += "*"
		}
		brackets += map[reflect.Kind]string{reflect.Slice: "]", reflect.Map: "}"}[t.Kind()]
		inner, words := w.describe(t.Elem(), path)
		return brackets + inner, words
	case reflect.Interface:
		return "any", nil
	}
	if t.String() == "time.Duration" {
		return "duration", nil
	}
	return t.Kind().String(), nil
}

// words tries which texts an enumeration takes.
func words(t reflect.Type) []string {
	var found []string
	try := func(value reflect.Value) {
		writer, ok := value.Interface().(encoding.TextMarshaler)
		if !ok {
			return
		}
		text, err := writer.MarshalText()
		if err != nil || len(text) == 0 || slices.Contains(found, string(text)) {
			return
		}
		if reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText(text) == nil {
			found = append(found, string(text))
		}
	}
	for i := range int64(1 << 16) {
		value := reflect.New(t).Elem()
		switch {
		case value.CanInt() && !value.OverflowInt(i):
			value.SetInt(i)
		case value.CanUint() && !value.OverflowUint(uint64(i)):
			value.SetUint(uint64(i))
		default:
			return found
		}
		try(value)
	}
	return found
}
