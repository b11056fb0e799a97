// Package builtin lists the connectors that are part of Wadi. It is the only place that knows all of them.
package builtin

import (
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/blackhole"
	"wadi/dataflow/connector/impulse"
	"wadi/dataflow/connector/nexmark"
	"wadi/dataflow/connector/preview"
	"wadi/dataflow/connector/redis"
	"wadi/dataflow/connector/singlefile"
	"wadi/dataflow/connector/stdin"
	"wadi/dataflow/connector/stdout"
)

// Registry makes a registry of all connectors; nobody watches previews.
func Registry() *connector.Registry { return RegistryWithPreview(nil) }

// RegistryWithPreview makes a registry of all connectors, sorted by name, in which previews go to r.
func RegistryWithPreview(r preview.Receiver) *connector.Registry {
	return connector.NewRegistry(
		blackhole.Declaration(),
		impulse.Declaration(),
		nexmark.Declaration(),
		preview.Declaration(r),
		redis.Declaration(),
		singlefile.Declaration(),
		stdin.Declaration(),
		stdout.Declaration(),
	)
}
