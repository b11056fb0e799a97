package run

import (
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// collectAt is the growth of the heap, in percent, at which garbage is collected. Batches are recycled, so there is
// little garbage; more than this only costs memory (a keyed window over 1 GB of JSON takes the same time with 100, 200
// and 400, and 130, 170 and 240 MB).
const collectAt = 200

// tuneMemory sets the garbage collector up, unless the user has: rarely collecting while memory is plentiful, and within
// the memory that the process's control group leaves to it.
func (p Process) tuneMemory() {
	if p.env("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if p.env("GOMEMLIMIT") == "" {
		// No control group, or none that can be read: no limit, which is Go's default.
		_, _ = memlimit.Set(memlimit.WithRatio(0.85))
	}
}
