package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
	"wadi/storage/disk"
)

func wantAny(t *testing.T, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("%v is not a fault", err)
	}
	return f
}

// childMode tells a re-executed test binary what to be.
const childMode = "WADI_BLOB_TEST_CHILD"

func TestMain(m *testing.M) {
	switch mode, dir, _ := strings.Cut(os.Getenv(childMode), ":"); mode {
	case "create":
		childCreate(dir)
	case "write":
		// Ends with its parent, however that ends.
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		childWrite(dir)
	default:
		os.Exit(m.Run())
	}
}

const raceKeys = 300

// childCreate waits for a line on its input, then tries to create every key, and prints the ones it won.
func childCreate(dir string) {
	b, err := blob.Open(context.Background(), dir)
	if err != nil {
		panic(err)
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	out := bufio.NewWriter(os.Stdout)
	for k := range raceKeys {
		key := fmt.Sprintf("epochs/%d/epoch.record", k)
		created, err := b.PutIfAbsent(context.Background(), key, fmt.Append(nil, os.Getpid()))
		if err != nil {
			panic(err)
		}
		if created {
			fmt.Fprintln(out, key)
		}
	}
	_ = out.Flush()
}

func child(t *testing.T, mode, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childMode+"="+mode+":"+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestLocalCreateAcrossProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	type process struct {
		cmd  *exec.Cmd
		out  bytes.Buffer
		gate interface{ Close() error }
	}
	var all [4]process
	for i := range all {
		p := &all[i]
		p.cmd = child(t, "create", dir)
		p.cmd.Stdout = &p.out
		in, err := p.cmd.StdinPipe()
		must(t, err)
		p.gate = in
		must(t, p.cmd.Start())
	}
	for i := range all {
		must(t, all[i].gate.Close())
	}
	b := open(t, dir)
	winners := map[string]int{}
	for i := range all {
		must(t, all[i].cmd.Wait())
		for key := range strings.FieldsSeq(all[i].out.String()) {
			winners[key]++
			wantGet(t, b, key, fmt.Sprint(all[i].cmd.Process.Pid))
		}
	}
	for k := range raceKeys {
		key := fmt.Sprintf("epochs/%d/epoch.record", k)
		if winners[key] != 1 {
			t.Errorf("%s has %d creators", key, winners[key])
		}
	}
}

// childWrite overwrites one object and creates others until it is killed, printing each one when it is durable.
func childWrite(dir string) {
	b, err := blob.Open(context.Background(), dir)
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		body := bytes.Repeat(fmt.Appendf(nil, "%08d", i), 8192)
		if err := b.Put(context.Background(), "current", body); err != nil {
			panic(err)
		}
		if _, err := b.PutIfAbsent(context.Background(), fmt.Sprintf("d/%d/record", i), body); err != nil {
			panic(err)
		}
		fmt.Println(i)
	}
}

func TestLocalWritesSurviveKill(t *testing.T) {
	for round := range 8 {
		dir := t.TempDir()
		cmd := child(t, "write", dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		_, err = cmd.StdinPipe()
		must(t, err)
		must(t, cmd.Start())
		last := -1
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			_, err := fmt.Sscan(lines.Text(), &last)
			must(t, err)
			if last == 3+round {
				must(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait()
		checkAfterKill(t, open(t, dir), last)
	}
}

func checkAfterKill(t *testing.T, b blob.Bucket, last int) {
	t.Helper()
	infos, err := b.List(t.Context(), "")
	must(t, err)
	if len(infos) < last+2 {
		t.Errorf("%d objects, but %d creations were reported", len(infos), last+1)
	}
	for _, i := range infos {
		data, err := b.Get(t.Context(), i.Key)
		must(t, err)
		if len(data) != 8*8192 || !bytes.Equal(data, bytes.Repeat(data[:8], 8192)) {
			t.Errorf("%s is torn", i.Key)
		}
	}
	data, err := b.Get(t.Context(), "current")
	must(t, err)
	if string(data[:8]) < fmt.Sprintf("%08d", last) {
		t.Errorf("current is %s, but %d was reported durable", data[:8], last)
	}
}

func TestLocalOpenAndReadsMakeNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	b := open(t, dir)
	_ = keys(t, b, "")
	_, err := b.Get(t.Context(), "k")
	wantCode(t, err, fault.CodeNotFound)
	must(t, b.Delete(t.Context(), "k"))
	must(t, blob.ProbeConditionalPut(t.Context(), b))
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
	if got, ok := b.Sub("x").Local(); !ok || got != dir+"/x" {
		t.Errorf("local is %s, %v", got, ok)
	}
}

func TestLocalListSkipsAndClearsTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	must(t, b.Put(t.Context(), "a/k", nil))
	fresh, stale := filepath.Join(dir, "a/.wadi-tmp-fresh"), filepath.Join(dir, "a/.wadi-tmp-stale")
	for _, f := range []string{fresh, stale} {
		must(t, os.WriteFile(f, []byte("half"), 0o600))
	}
	old := time.Now().Add(-2 * time.Hour)
	must(t, os.Chtimes(stale, old, old))
	if got := keys(t, b, ""); got != "a/k" {
		t.Errorf("listed %s", got)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("the temporary file of a running write was removed")
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("the stale temporary file is still there")
	}
}

func TestLocalFaults(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	b := open(t, file)
	_, getErr := b.Get(t.Context(), "k")
	_, listErr := b.List(t.Context(), "")
	for _, err := range []error{getErr, listErr, b.Put(t.Context(), "k", nil), b.Put(t.Context(), "k/l", nil)} {
		f := wantCode(t, err, blob.CodeNotDirectory)
		if !strings.Contains(f.Error(), file) || f.Hint == "" {
			t.Errorf("%v", f)
		}
	}
	inside := open(t, dir)
	must(t, inside.Put(t.Context(), "d/k", nil))
	wantCode(t, inside.Put(t.Context(), "d", nil), blob.CodeNotDirectory)
	_, err := inside.PutIfAbsent(t.Context(), "d", nil)
	wantCode(t, err, blob.CodeNotDirectory)
	wantCode(t, inside.Put(t.Context(), strings.Repeat("n", 300), nil), disk.CodeBadName)
}

func TestLocalNoPermission(t *testing.T) {
	if os.Getuid() == 0 {
		// Root passes every mode; a folder of the kernel that takes no files refuses root too.
		err := open(t, "/proc/wadi-test").Put(t.Context(), "k", nil)
		if f := wantAny(t, err); f.Hint == "" || !strings.Contains(f.Error(), "/proc") {
			t.Errorf("%v (hint %s)", f, f.Hint)
		}
		return
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o500))
	f := wantCode(t, open(t, dir).Put(t.Context(), "k", nil), blob.CodePermission)
	if !strings.Contains(f.Error(), dir) || f.Hint == "" {
		t.Errorf("%v", f)
	}
}

func TestMemIsSharedByNameWithinOneOpener(t *testing.T) {
	var o, other blob.Opener
	a, err := o.Open(t.Context(), "mem://x")
	must(t, err)
	must(t, a.Put(t.Context(), "p/k", []byte("v")))
	must(t, a.Close())
	same, err := o.Open(t.Context(), "mem://x/p")
	must(t, err)
	wantGet(t, same, "k", "v")
	for _, stranger := range []func() (blob.Bucket, error){
		func() (blob.Bucket, error) { return o.Open(t.Context(), "mem://y/p") },
		func() (blob.Bucket, error) { return other.Open(t.Context(), "mem://x/p") },
	} {
		b, err := stranger()
		must(t, err)
		_, err = b.Get(t.Context(), "k")
		wantCode(t, err, fault.CodeNotFound)
	}
}
