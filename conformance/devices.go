package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// deviceReport is the part of `talosmith show DEVICE --format json` that is used here.
type deviceReport struct {
	Device struct {
		Role       string `json:"role"`
		BaseConfig string `json:"baseConfig"`
	} `json:"device"`
	Outputs []struct {
		Path    string `json:"path"`
		Key     string `json:"key"`
		Reader  string `json:"reader"`
		Applied bool   `json:"applied"`
		Secret  bool   `json:"secret"`
	} `json:"outputs"`
}

// secretPlaceholder is what a template has in place of a secret.
var secretPlaceholder = regexp.MustCompile(`\$\{[A-Za-z0-9_]+\}`)

// secretStandIn is valid wherever a secret is: 32 bytes in base64, as a key of WireGuard must be, and else any text.
var secretStandIn = base64.StdEncoding.EncodeToString(make([]byte, 32))

// readDevices writes a case for each device below the folder devices of each repository: all files that are applied to
// it, in order; instead of a file with a secret, which is not tracked, its template with a stand-in for the secret.
func readDevices(talosmith string, roots []string, out io.Writer) error {
	lines := encoder(out)
	count := 0
	for _, root := range roots {
		models, err := filepath.Glob(filepath.Join(root, "devices", "*", "device.yaml"))
		if err != nil {
			return err
		}
		for _, model := range models {
			c, err := readDevice(talosmith, root, filepath.Base(filepath.Dir(model)))
			if err != nil {
				return fmt.Errorf("%s: %w", model, err)
			}
			if err := lines.Encode(c); err != nil {
				return err
			}
			count++
		}
	}
	if count == 0 {
		return errors.New("no device")
	}
	return nil
}

func readDevice(talosmith, root, name string) (*Case, error) {
	show := exec.Command(talosmith, "-C", root, "show", name, "--format", "json")
	show.Stderr = os.Stderr
	text, err := show.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", show, err)
	}
	var shown deviceReport
	if err := json.Unmarshal(text, &shown); err != nil {
		return nil, fmt.Errorf("%s: %w", show, err)
	}
	minor, err := minorOf(shown.Device.BaseConfig)
	if err != nil {
		return nil, err
	}
	c := &Case{
		ID:   strings.TrimPrefix(filepath.Base(root)+"/"+name, "./"),
		Role: shown.Device.Role,
		Base: fmt.Sprintf("v1.%d", minor),
	}
	paths := map[string]string{}
	for _, output := range shown.Outputs {
		paths[output.Key] = output.Path
	}
	for _, output := range shown.Outputs {
		if output.Reader != "talos" || !output.Applied {
			continue
		}
		path := output.Path
		if output.Secret {
			path = paths[strings.TrimSuffix(output.Key, ".secret")]
		}
		patch, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, err
		}
		if output.Secret {
			patch = secretPlaceholder.ReplaceAllLiteral(patch, []byte(secretStandIn))
		}
		c.Patches = append(c.Patches, string(patch))
	}
	return c, nil
}
