package checkpoint

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	currentKey     = "current-generation.json"
	generationsDir = "generations/"
	epochsDir      = "epochs/"
)

func claimKey(gen uint64) string {
	return fmt.Sprintf("generations/%d/generation-manifest.json", gen)
}

func checkpointDir(gen, epoch uint64) string {
	return fmt.Sprintf("generations/%d/checkpoints/checkpoint-%07d/", gen, epoch)
}

func manifestRef(gen, epoch uint64) string { return checkpointDir(gen, epoch) + "manifest.json" }

func committedKey(gen, epoch uint64) string { return checkpointDir(gen, epoch) + "committed.json" }

func recordKey(epoch uint64) string { return fmt.Sprintf("epochs/epoch-%07d.record", epoch) }

// parseRecordKey gives the epoch of an epoch record's key.
func parseRecordKey(key string) (uint64, bool) {
	digits, ok := strings.CutPrefix(key, epochsDir+"epoch-")
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, ".record")
	if !ok {
		return 0, false
	}
	epoch, err := strconv.ParseUint(digits, 10, 63)
	return epoch, err == nil && epoch > 0 && recordKey(epoch) == key
}

func parseManifestRef(ref string) (gen, epoch uint64, ok bool) {
	m := manifestForm.FindStringSubmatch(ref)
	if m == nil {
		return 0, 0, false
	}
	gen, genErr := strconv.ParseUint(m[1], 10, 63)
	epoch, epochErr := strconv.ParseUint(m[2], 10, 63)
	return gen, epoch, genErr == nil && epochErr == nil && manifestRef(gen, epoch) == ref
}

// part is what an object below generations/ is.
type part uint8

const (
	foreign part = iota
	claimPart
	manifestPart
	committedPart
	dataPart
)

// parseGenerationKey tells what an object below generations/ is, and of which generation and epoch.
func parseGenerationKey(key string) (p part, gen, epoch uint64) {
	rest, ok := strings.CutPrefix(key, generationsDir)
	if !ok {
		return foreign, 0, 0
	}
	digits, rest, _ := strings.Cut(rest, "/")
	gen, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || gen == 0 {
		return foreign, 0, 0
	}
	if rest == "generation-manifest.json" {
		return claimPart, gen, 0
	}
	rest, ok = strings.CutPrefix(rest, "checkpoints/checkpoint-")
	if !ok {
		return foreign, gen, 0
	}
	digits, rest, _ = strings.Cut(rest, "/")
	epoch, err = strconv.ParseUint(digits, 10, 63)
	switch {
	case err != nil || !strings.HasPrefix(key, checkpointDir(gen, epoch)):
		return foreign, gen, 0
	case rest == "manifest.json":
		return manifestPart, gen, epoch
	case rest == "committed.json":
		return committedPart, gen, epoch
	}
	return dataPart, gen, epoch
}

// escape makes any name fit into one segment of a path, without changing plain ones.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		plain := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-' || c == '.'
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
