package config

import (
	"fmt"
	"strings"
)

// referenceHead opens the page; the table of keys follows it.
const referenceHead = `# Configuration

This page is made from the code: ` + "`go test ./run/config -run TestReferenceIsUpToDate -update`" + ` writes it.

Settings come in layers; a later one replaces single keys of those before it:

1. the defaults below
2. ` + "`<user configuration directory>/wadi/config.yaml`, then `config.toml` (on Linux the directory is `~/.config`)" + `
3. ` + "`./wadi.yaml`, then `./wadi.toml`" + `
4. ` + "the file of `--config` (`.toml`, `.yaml` or `.json`)" + `
5. ` + "every `*.yaml`, `*.yml` and `*.toml` of `--config-dir`, in the order of their names" + `
6. ` + "environment variables: `ARROYO__A__B_C`, then `WADI__A__B_C`, for the key `a.b-c`" + `

A key that does not exist is refused, with its name and the file or variable that it came from. Durations are a whole
number and a unit: ` + "`ns`, `us`, `ms`, `s`, `m`, `h`, or Arroyo's `nanos`, `micros`, `millis`, `secs`, `mins`, `hrs`" + `.

The log level is also set by ` + "`--log-level` and `WADI_LOG`, the state directory of `wadi run` by `--state-dir`" + `. Object
stores take the usual variables of their libraries, such as ` + "`AWS_ACCESS_KEY_ID` and `AWS_ENDPOINT_URL`" + `.

| key | default | what it sets |
|---|---|---|
`

// Reference is the documentation of every key, in Markdown.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, k := range keys() {
		fallback := "none"
		if s, _ := scalar(k.fallback); s != "" {
			fallback = "`" + s + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, fallback, strings.ReplaceAll(k.doc, "|", `\|`))
	}
	return b.String()
}
