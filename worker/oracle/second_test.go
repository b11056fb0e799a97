package oracle_test

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	rounds    = flag.Int("oracle.rounds", 1, "how many seeds to try")
	firstSeed = flag.Uint64("oracle.seed", 1, "the first seed")
	rewrite   = flag.Bool("oracle.rewrite", false, "rewrite the table of docs/sql/differences.md")
)

// version is the one that .ci/oracle installs.
const version = "1.4.1"

//go:embed driver.py
var driver string

// second is the second engine: a process with a database in memory. It belongs to one goroutine.
type second struct {
	t   testing.TB
	in  *json.Encoder
	out *bufio.Reader
}

// startSecond starts the second engine for the time of a test, or skips the test.
func startSecond(t testing.TB) *second {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("SKIPPED: no folder for the second engine: %v", err)
	}
	python := filepath.Join(cache, "wadi", "oracle", "duckdb-"+version, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Skipf("SKIPPED: nothing is compared with a second engine, since DuckDB %s is not installed; run .ci/oracle", version)
	}
	cmd := exec.Command(python, "-c", driver)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the second engine ends with %v", err)
		}
	})
	s := &second{t: t, in: json.NewEncoder(stdin), out: bufio.NewReader(stdout)}
	s.exec("SET TimeZone = 'UTC'")
	s.exec("SET default_null_order = 'nulls_last_on_asc_first_on_desc'") // as in PostgreSQL
	return s
}

type request struct {
	SQL   string      `json:"sql"`
	Fetch bool        `json:"fetch,omitempty"`
	Rows  [][]*string `json:"rows,omitempty"`
}

func (s *second) ask(q request) ([][]value, error) {
	s.t.Helper()
	if err := s.in.Encode(q); err != nil {
		s.t.Fatalf("the second engine is gone: %v", err)
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		s.t.Fatalf("the second engine is gone: %v", err)
	}
	var a struct {
		Rows  [][]value
		Error string
	}
	if err := json.Unmarshal(line, &a); err != nil {
		s.t.Fatal(err)
	}
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	return a.Rows, nil
}

// exec runs a statement that has to work.
func (s *second) exec(sql string) {
	s.t.Helper()
	if _, err := s.ask(request{SQL: sql}); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// fill runs a statement once per row of parameters.
func (s *second) fill(sql string, rows [][]*string) {
	s.t.Helper()
	if len(rows) == 0 {
		return
	}
	if _, err := s.ask(request{SQL: sql, Rows: rows}); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// query gives the rows of a query.
func (s *second) query(sql string) ([][]value, error) {
	s.t.Helper()
	return s.ask(request{SQL: sql, Fetch: true})
}
