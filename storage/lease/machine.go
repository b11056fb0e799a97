package lease

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Machine knows the processes of one machine.
type Machine interface {
	// Place tells this machine, since its last boot, and this process namespace from all others of the same host name;
	// empty where the system does not say.
	Place() string
	// Process reports whether there is a living process pid, and gives what tells it from others that had this number:
	// its start; empty where the system does not say.
	Process(pid int) (process string, alive bool)
}

// thisMachine asks the kernel; on Linux by /proc, see proc(5).
type thisMachine struct{}

// Place is boot id and pid namespace.
func (thisMachine) Place() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + namespace
}

// Process is the process's start in ticks since boot. One that has ended and waits for its parent counts as dead.
func (thisMachine) Process(pid int) (string, bool) {
	if pid <= 0 {
		return "", false
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return "", false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", true
	}
	// The second field is the program's name in parentheses and may hold anything, parentheses too.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const state, start = 3 - 3, 22 - 3
	if len(fields) <= start {
		return "", true
	}
	return fields[start], fields[state] != "Z" && fields[state] != "X"
}
