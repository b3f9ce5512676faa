package main

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/siderolabs/talos/pkg/machinery/config/config"
	"go.yaml.in/yaml/v4"
)

// registry is the machinery's registry of document kinds, which only its own packages can import. The fields are those of
// config/internal/registry.Registry.
//
//go:linkname registry github.com/siderolabs/talos/pkg/machinery/config/internal/registry.registry
var registry *struct {
	mutex      sync.Mutex
	registered map[string]func(version string) config.Document
}

// scalars are the table's names of the types that decode themselves.
var scalars = map[string]string{
	"netip.Addr":                      "address",
	"network.Addr":                    "address",
	"meta.Addr":                       "address",
	"netip.AddrPort":                  "address-port",
	"network.AddrPort":                "address-port",
	"meta.AddrPort":                   "address-port",
	"netip.Prefix":                    "cidr",
	"network.Prefix":                  "cidr",
	"meta.Prefix":                     "cidr",
	"nethelpers.HardwareAddr":         "hardware-address",
	"nethelpers.RoutingTable":         "routing-table",
	"nethelpers.FailOverMAC":          "fail-over-mac",
	"network.PortRange":               "ports",
	"block.ByteSize":                  "bytes",
	"block.Size":                      "size",
	"cel.Expression":                  "cel",
	"meta.URL":                        "url",
	"v1alpha1.Endpoint":               "url",
	"v1alpha1.DiskSize":               "disk-size",
	"v1alpha1.InstallDiskSizeMatcher": "disk-condition",
	"v1alpha1.Base64Bytes":            "base64",
	"v1alpha1.ArgValue":               "argument",
	"meta.ArgValue":                   "argument",
}

// mergedByKey are the lists whose Merge method finds an item by the value of a key, of several by the first that is set.
var mergedByKey = map[string]string{
	"extensions.ConfigFileList":          "by:mountPath",
	"v1alpha1.NetworkDeviceList":         "by:interface+deviceSelector",
	"v1alpha1.VlanList":                  "by:vlanId",
	"v1alpha1.AdmissionPluginConfigList": "by:name",
	"security.ImageVerificationRules":    "replace-by:image",
}

var (
	decodesText   = reflect.TypeFor[encoding.TextUnmarshaler]()
	decodesNode   = reflect.TypeFor[yaml.Unmarshaler]()
	decodesLegacy = reflect.TypeFor[interface {
		UnmarshalYAML(unmarshal func(any) error) error
	}]()
)

// structs collects the fields of the structs that documents are decoded into.
type structs struct {
	out  io.Writer
	seen map[string]reflect.Type
}

// writeStructs writes this machinery's version, and a line for each field of each document's struct and of the structs in it:
// `STRUCT FIELD TYPE RULE`, as types.go describes them.
func writeStructs(out io.Writer) error {
	version, err := machineryVersion()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, version); err != nil {
		return err
	}
	s := structs{out, map[string]reflect.Type{}}
	for kind, create := range registry.registered {
		if err := s.add(kind, reflect.TypeOf(create("v1alpha1")).Elem()); err != nil {
			return err
		}
	}
	return nil
}

// add writes the fields of a struct, and adds the structs in it.
func (s *structs) add(name string, t reflect.Type) error {
	if known, ok := s.seen[name]; ok {
		if known != t {
			return fmt.Errorf("two structs are named %s: %s and %s", name, known.PkgPath(), t.PkgPath())
		}
		return nil
	}
	s.seen[name] = t
	return s.fields(name, t)
}

func (s *structs) fields(name string, t reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			if err := s.fields(name, f.Type); err != nil {
				return err
			}
			continue
		}
		isHeader := registry.registered[name] != nil && (key == "apiVersion" || key == "kind")
		if key == "-" || !f.IsExported() || isHeader {
			continue
		}
		if key == "" {
			key = strings.ToLower(f.Name)
		}
		spelled, err := s.spell(f.Type)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", name, key, err)
		}
		if isPEM(t) {
			spelled = map[string]string{"crt": "base64", "key": "key"}[key]
		}
		if !strings.Contains(options, "omitempty") {
			spelled = "!" + spelled
		}
		if _, err := fmt.Fprintln(s.out, name, key, spelled, mergeRule(f)); err != nil {
			return err
		}
	}
	return nil
}

// spell returns a type as the table writes it, and adds the structs in it.
func (s *structs) spell(t reflect.Type) (string, error) {
	if t.Kind() == reflect.Pointer {
		inner, err := s.spell(t.Elem())
		return "*" + inner, err
	}
	name, pointer := t.String(), reflect.PointerTo(t)
	decodesItself := pointer.Implements(decodesNode) || pointer.Implements(decodesLegacy)
	switch {
	case scalars[name] != "":
		return scalars[name], nil
	case isPEM(t), decodesItself && t.Kind() == reflect.Slice:
		// Their methods decode the value as if they were not there, and then change nothing that counts here.
	case decodesItself:
		return "", fmt.Errorf("%s decodes itself, and the table has no name for it", name)
	case pointer.Implements(decodesText):
		if words := words(t); words != nil {
			return "word:" + strings.Join(words, "|"), nil
		}
		return "", fmt.Errorf("%s decodes text, and the table has no name for it", name)
	}
	switch t.Kind() {
	case reflect.Struct:
		if f, ok := t.FieldByName("Object"); ok && t.NumField() == 1 && f.Type.Kind() == reflect.Map {
			return s.spell(f.Type)
		}
		return name, s.add(name, t)
	case reflect.Slice, reflect.Map:
		inner, err := s.spell(t.Elem())
		item, isPointer := strings.CutPrefix(inner, "*")
		brackets := map[reflect.Kind][2]string{reflect.Slice: {"[]", "[*]"}, reflect.Map: {"{}", "{*}"}}[t.Kind()]
		if isPointer {
			return brackets[1] + item, err
		}
		return brackets[0] + item, err
	case reflect.Interface:
		return "any", nil
	case reflect.String:
		return "text", nil
	}
	if name == "time.Duration" {
		return "duration", nil
	}
	return t.Kind().String(), nil
}

// isPEM returns whether a type is a struct of PEM blocks, which are decoded from base64.
func isPEM(t reflect.Type) bool { return strings.HasPrefix(t.String(), "x509.PEMEncoded") }

// words returns the values of an enumeration, in the order of their numbers, by trying which numbers have a text that is read.
func words(t reflect.Type) []string {
	var found []string
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
		writer, ok := value.Interface().(encoding.TextMarshaler)
		if !ok {
			return nil
		}
		word, err := writer.MarshalText()
		if err != nil || len(word) == 0 || slices.Contains(found, string(word)) {
			continue
		}
		if reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText(word) == nil {
			found = append(found, string(word))
		}
	}
	return found
}

// mergeRule returns how a field is merged where its type does not say it, or "-".
func mergeRule(f reflect.StructField) string {
	t := f.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch name := scalars[t.String()]; {
	case mergedByKey[t.String()] != "":
		return mergedByKey[t.String()]
	case strings.Contains(f.Tag.Get("merge"), "replace"):
		return "replace"
	case name == "disk-condition", slices.Contains([]string{"address", "address-port", "cidr"}, name) && isSealed(t):
		return "sealed"
	}
	if zero, ok := reflect.Zero(t).Interface().(fmt.Stringer); ok && t.Kind() != reflect.Struct && t.Kind() != reflect.String {
		if word := zero.String(); word != "" && !strings.ContainsAny(word, " ()") && reflect.PointerTo(t).Implements(decodesText) {
			return "zero:" + word
		}
	}
	return "-"
}

// isSealed returns whether merging two values of a type fails since reflection cannot set the fields of a struct.
func isSealed(t reflect.Type) bool {
	_, merges := reflect.PointerTo(t).MethodByName("Merge")
	return !merges && !strings.HasPrefix(t.String(), "netip.")
}
