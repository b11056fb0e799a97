package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"

	"wadi/dataflow/fault"
)

// Where tells Load where to look.
type Where struct {
	// UserDir is the user's configuration directory and WorkDir the working directory; empty skips their files.
	UserDir, WorkDir string
	// File is --config, Dir is --config-dir.
	File, Dir string
	// Env is the environment as "NAME=value".
	Env []string
}

// Setting is the value of a key and who set it.
type Setting struct {
	Key, Value string
	// Source is "default", a file's path, or an environment variable's name.
	Source string
}

// layer is one source of settings: keys with dots to values.
type layer struct {
	values map[string]any
	source func(key string) string
}

// Load reads all layers. Problems are collected: the error is a fault.List that names every key and file at fault.
func Load(w Where) (*Config, []Setting, error) {
	layers, err := w.layers()
	if err != nil {
		return nil, nil, err
	}
	return merge(layers)
}

func merge(layers []layer) (*Config, []Setting, error) {
	all := keys()
	byName := map[string]int{}
	settings := make([]Setting, len(all))
	c := &Config{}
	for i, k := range all {
		byName[k.name] = i
		value, _ := scalar(k.fallback)
		settings[i] = Setting{k.name, value, "default"}
		if err := k.set(c, k.fallback); err != nil {
			panic("config: default of " + k.name + ": " + err.Error())
		}
	}
	var problems fault.List
	for _, l := range layers {
		for _, name := range sortedKeys(l.values) {
			i, ok := byName[name]
			if !ok {
				problems = append(problems, unknown(name, l.source(name), all))
				continue
			}
			if err := all[i].set(c, l.values[name]); err != nil {
				problems = append(problems, fault.Userf(fault.CodeInvalid, fault.Span{}, "%s: %s %s", l.source(name), name, err))
				continue
			}
			settings[i] = Setting{name, shown(name, l.values[name]), l.source(name)}
		}
	}
	if c.API.AuthMode == "static-api-key" && c.API.APIKey == "" {
		problems = append(problems, fault.Userf(fault.CodeInvalid, fault.Span{}, "api.auth-mode.type is static-api-key and there is no key").
			WithHint("set api.auth-mode.api-key"))
	}
	if len(problems) > 0 {
		return nil, nil, problems
	}
	return c, settings, nil
}

// shown is the text of a value for people: secrets are hidden.
func shown(name string, v any) string {
	value, _ := scalar(v)
	if name == "api.auth-mode.api-key" && value != "" {
		return "********"
	}
	return value
}

func unknown(name, source string, all []key) *fault.Error {
	names := make([]string, len(all))
	for i, k := range all {
		names[i] = k.name
	}
	f := fault.Userf(fault.CodeInvalid, fault.Span{}, "%s: there is no configuration key %s", source, name)
	if near := fault.Nearest(name, names); near != "" {
		return f.WithHint("did you mean %s?", near)
	}
	return f.WithHint("the keys are listed in docs/configuration.md")
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (w Where) layers() ([]layer, error) {
	var out []layer
	for _, f := range w.files() {
		l, err := readFile(f.path)
		if errors.Is(err, fs.ErrNotExist) && !f.required {
			continue
		}
		if err != nil {
			return nil, fileFault(f.path, err)
		}
		out = append(out, l)
	}
	if w.Dir != "" {
		paths, err := listDir(w.Dir)
		if err != nil {
			return nil, fileFault(w.Dir, err)
		}
		for _, p := range paths {
			l, err := readFile(p)
			if err != nil {
				return nil, fileFault(p, err)
			}
			out = append(out, l)
		}
	}
	return append(out, environment(w.Env, "ARROYO__"), environment(w.Env, "WADI__")), nil
}

type candidate struct {
	path     string
	required bool
}

func (w Where) files() []candidate {
	var out []candidate
	if w.UserDir != "" {
		out = append(out, candidate{path: filepath.Join(w.UserDir, "wadi", "config.yaml")}, candidate{path: filepath.Join(w.UserDir, "wadi", "config.toml")})
	}
	if w.WorkDir != "" {
		out = append(out, candidate{path: filepath.Join(w.WorkDir, "wadi.yaml")}, candidate{path: filepath.Join(w.WorkDir, "wadi.toml")})
	}
	if w.File != "" {
		out = append(out, candidate{w.File, true})
	}
	return out
}

func fileFault(path string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fault.Userf(fault.CodeIO, fault.Span{}, "configuration %s: %s", path, err).
		WithHint("check the path given with --config or --config-dir")
}

func listDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".yaml", ".yml", ".toml":
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}

func readFile(path string) (layer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return layer{}, err
	}
	var parser koanf.Parser
	switch filepath.Ext(path) {
	case ".yaml", ".yml", ".json":
		parser = yaml.Parser() // JSON is YAML
	case ".toml":
		parser = toml.Parser()
	default:
		return layer{}, fault.Userf(fault.CodeInvalid, fault.Span{}, "configuration %s: unknown kind of file", path).
			WithHint("use a name that ends in .toml, .yaml or .json")
	}
	k := koanf.New(".")
	if err := k.Load(rawbytes.Provider(data), parser); err != nil {
		return layer{}, fault.Userf(fault.CodeSyntax, fault.Span{}, "configuration %s: %s", path, strings.Join(strings.Fields(err.Error()), " "))
	}
	return layer{values: k.All(), source: func(string) string { return path }}, nil
}

// environment takes the variables with this prefix: PREFIX + A__B_C is the key a.b-c.
func environment(env []string, prefix string) layer {
	l := layer{values: map[string]any{}}
	names := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		key := strings.ToLower(strings.TrimPrefix(name, prefix))
		key = strings.ReplaceAll(strings.ReplaceAll(key, "__", "."), "_", "-")
		l.values[key] = value
		names[key] = name
	}
	l.source = func(key string) string { return names[key] }
	return l
}
