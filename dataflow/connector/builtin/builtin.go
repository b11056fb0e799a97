// Package builtin lists the connectors that are part of Wadi. It is the only place that knows all of them.
package builtin

import (
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/blackhole"
	"wadi/dataflow/connector/impulse"
	"wadi/dataflow/connector/nexmark"
	"wadi/dataflow/connector/singlefile"
	"wadi/dataflow/connector/stdout"
)

// Registry makes a registry of all connectors.
func Registry() *connector.Registry {
	return connector.NewRegistry(
		blackhole.Declaration(),
		impulse.Declaration(),
		nexmark.Declaration(),
		singlefile.Declaration(),
		stdout.Declaration(),
	)
}
