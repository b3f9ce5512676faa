// Command types prints how the Go types of the Talos machinery's configuration documents are made, as far as merging and deleting
// depend on it: a line for each field, `STRUCT FIELD TYPE [replace]`. Documents have their kind as the name of their struct, the
// document without a kind has `v1alpha1`. Other structs are named PACKAGE.TYPE. Types are written
//
//	*T           a pointer: an absent value is not a zero one
//	[]T, map:T   a list, a mapping with free keys
//	@KEYS:T      a list whose items are merged by the values of keys (`a+b`: by the first that is there), `=KEY:T` replaced by it
//	text bool number duration bytes   scalars
//	word, word=ZERO   a text of its own kind, and the one that is the type's zero value
//	sealed   an address that cannot be merged
//	cel bytesize size address args free any url certificate key   as Talos's own types of these names merge
//
// A kind that the machinery does not know is left out. Usage: types KIND...
package main

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
)

var (
	text = reflect.TypeFor[encoding.TextUnmarshaler]()
	seen = map[reflect.Type]string{}
)

// special are the types that merge or decode in a way of their own.
var special = map[string]string{
	"cel.Expression":                     "cel",
	"block.ByteSize":                     "bytesize",
	"block.Size":                         "size",
	"meta.Args":                          "args",
	"v1alpha1.Args":                      "args",
	"meta.Prefix":                        "address",
	"meta.Addr":                          "address",
	"meta.AddrPort":                      "address",
	"network.Prefix":                     "address",
	"network.Addr":                       "address",
	"network.AddrPort":                   "address",
	"meta.Unstructured":                  "free",
	"v1alpha1.Unstructured":              "free",
	"meta.URL":                           "url",
	"v1alpha1.Endpoint":                  "url",
	"x509.PEMEncodedCertificateAndKey":   "certificate",
	"x509.PEMEncodedKey":                 "key",
	"extensions.ConfigFileList":          "@mountPath:extensions.ConfigFile",
	"v1alpha1.NetworkDeviceList":         "@interface+deviceSelector:*v1alpha1.Device",
	"v1alpha1.VlanList":                  "@vlanId:*v1alpha1.Vlan",
	"v1alpha1.AdmissionPluginConfigList": "@name:*v1alpha1.AdmissionPluginConfig",
	"v1alpha1.InstallDiskSizeMatcher":    "sealed",
	"security.ImageVerificationRules":    "=image:security.ImageVerificationRuleV1Alpha1",
}

func main() {
	emit("v1alpha1", document("machine: {}\n"))
	for _, kind := range os.Args[1:] {
		empty := "apiVersion: v1alpha1\nkind: " + kind + "\n"
		// Some kinds are not read without a name.
		for _, text := range []string{empty, empty + "name: name\n"} {
			if t := document(text); t != nil {
				emit(kind, t)
				break
			}
		}
	}
}

func document(yaml string) reflect.Type {
	config, err := configloader.NewFromBytes([]byte(yaml))
	if err != nil || len(config.Documents()) == 0 {
		return nil
	}
	return reflect.TypeOf(config.Documents()[0]).Elem()
}

// emit prints a struct's fields, inline ones as its own, and then the structs in them.
func emit(name string, t reflect.Type) {
	if _, done := seen[t]; done {
		return
	}
	seen[t] = name
	fields(name, t)
}

func fields(name string, t reflect.Type) {
	for i := range t.NumField() {
		field := t.Field(i)
		tag := strings.Split(field.Tag.Get("yaml"), ",")
		if len(tag) > 1 && tag[0] == "" && tag[1] == "inline" {
			fields(name, field.Type)
			continue
		}
		if tag[0] == "-" || !field.IsExported() {
			continue
		}
		if tag[0] == "" {
			tag[0] = strings.ToLower(field.Name)
		}
		line := name + " " + tag[0] + " " + spell(field.Type)
		if strings.Contains(field.Tag.Get("merge"), "replace") {
			line += " replace"
		}
		fmt.Println(line)
	}
	for i := range t.NumField() {
		follow(t.Field(i).Type)
	}
}

func follow(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		follow(t.Elem())
	case reflect.Struct:
		if spelled := spell(t); strings.Contains(spelled, ".") {
			emit(spelled, t)
		}
	default:
	}
}

func spell(t reflect.Type) string {
	short := t.String()
	if name, ok := special[short]; ok {
		// Before 1.14 addresses have no way of their own to be merged, and reflection fails on them.
		if _, merges := reflect.PointerTo(t).MethodByName("Merge"); name == "address" && !merges {
			return "sealed"
		}
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + spell(t.Elem())
	case reflect.Interface:
		return "any"
	}
	if t.Kind() != reflect.String && (t.Implements(text) || reflect.PointerTo(t).Implements(text)) {
		if zero, ok := reflect.Zero(t).Interface().(fmt.Stringer); ok && t.Kind() != reflect.Struct {
			if name := zero.String(); name != "" && !strings.ContainsAny(name, " ()") {
				return "word=" + name
			}
		}
		return "word"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "bool"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + spell(t.Elem())
	case reflect.Map:
		return "map:" + spell(t.Elem())
	case reflect.Struct:
		return short
	default:
		if short == "time.Duration" {
			return "duration"
		}
		return "number"
	}
}
