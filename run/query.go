package run

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"wadi/dataflow/fault"
)

// maxQuery bounds the size of a query's text.
const maxQuery = 64 << 20

// query is a SQL text and how the user called it.
type query struct {
	name, text string
}

// Names of queries that are in no file.
const (
	fromStdin  = "<stdin>"
	fromConfig = "run.query"
)

// readQuery takes the text from the configuration, else from the file named by arg, else from standard input. It gives
// up when ctx ends, although a read may still be blocked.
func (s *session) readQuery(ctx context.Context, arg string) (query, error) {
	if s.config.Run.Query != "" {
		return query{fromConfig, s.config.Run.Query}, nil
	}
	type result struct {
		q   query
		err error
	}
	done := make(chan result, 1)
	s.log.Debug().Str("from", arg).Msg("reading the query")
	go func() {
		q, err := s.readNamed(arg)
		done <- result{q, err}
	}()
	select {
	case r := <-done:
		return r.q, r.err
	case <-ctx.Done():
		return query{}, ctx.Err()
	}
}

func (s *session) readNamed(arg string) (query, error) {
	if arg == "" || arg == "-" {
		return s.readStdin()
	}
	data, err := readFile(arg)
	if err != nil {
		return query{}, err
	}
	return query{arg, string(data)}, nil
}

func (s *session) readStdin() (query, error) {
	if isatty.IsTerminal(s.Stdin.Fd()) {
		_, _ = io.WriteString(s.Stderr, "reading SQL from standard input; end it with Ctrl-D\n")
	}
	data, err := readAll(s.Stdin, maxQuery)
	if err != nil {
		return query{}, asUser(err, "standard input")
	}
	q := query{fromStdin, string(data)}
	if strings.TrimSpace(q.text) == "" {
		return q, fault.Userf(fault.CodeSyntax, fault.Span{}, "the query is empty").
			WithHint("name a file, as in wadi run query.sql, or pipe SQL into wadi run")
	}
	return q, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, asUser(err, path)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fault.Userf(fault.CodeIO, fault.Span{}, "%s is a directory", path).WithHint("name a file with SQL in it")
	}
	data, err := readAll(f, maxQuery)
	if err != nil {
		return nil, asUser(err, path)
	}
	return data, nil
}

// asUser says what is wrong with a file that the user has named.
func asUser(err error, path string) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Userf(fault.CodeNotFound, fault.Span{}, "there is no file %s", path).
			WithHint("check the path; a query on standard input is read with wadi run -")
	case errors.Is(err, fs.ErrPermission):
		return fault.Userf(fault.CodeIO, fault.Span{}, "%s may not be read", path).WithHint("check its permissions")
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fault.Userf(fault.CodeIO, fault.Span{}, "%s: %s", path, err)
}
