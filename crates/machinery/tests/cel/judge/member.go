//go:build member

package main

import (
	"github.com/google/cel-go/cel"

	"github.com/siderolabs/talos/pkg/machinery/cel/celenv"
)

func add(environments map[string]*cel.Env) {
	environments["member"] = celenv.MemberVolumeLocator()
}
