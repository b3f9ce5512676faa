//go:build !machinery_1_12 && !machinery_1_13

package main

import "github.com/siderolabs/talos/pkg/machinery/cel/celenv"

// The selectors of the members of RAID arrays and LVM volume groups came with 1.14.
func init() { environments["member"] = celenv.MemberVolumeLocator }
