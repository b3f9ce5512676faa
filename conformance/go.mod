// Where the module is, for the go command. What it needs stands in talos-VERSION.mod, one for each version of the machinery.
module talosmith/conformance

go 1.26.5
