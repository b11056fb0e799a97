package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/rs/zerolog"

	"wadi/controller"
	"wadi/dataflow/clock"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/sql"
	"wadi/storage/meta"
)

// Config is what the API needs.
type Config struct {
	DB         *meta.DB
	Controller *controller.Controller
	// Planner plans the queries of pipelines.
	Planner controller.Planner
	// Options are what queries are compiled with, saved connections included.
	Options    func(context.Context) (sql.Options, error)
	Connectors *connector.Registry
	Clock      clock.Clock
	Log        zerolog.Logger
	// Saved, if not nil, is called after connections have changed in the database, where alone they are kept.
	Saved func()
	// APIKey, if not empty, has to come with every request as "Authorization: Bearer …".
	APIKey string
	// DefaultInterval is the checkpoint interval in microseconds of pipelines that do not choose one [10 s];
	// MaxParallelism the largest that is accepted [1024].
	DefaultInterval int64
	MaxParallelism  int
	// StateURLs permits pipelines to keep their state elsewhere.
	StateURLs bool
}

type server struct {
	Config
	mux *http.ServeMux
}

// prefix is before every path.
const prefix = "/api/v1"

// New makes the API's handler.
func New(c Config) http.Handler {
	if c.Saved == nil {
		c.Saved = func() {}
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.DefaultInterval <= 0 {
		c.DefaultInterval = 10_000_000
	}
	if c.MaxParallelism <= 0 {
		c.MaxParallelism = 1024
	}
	s := &server{Config: c, mux: http.NewServeMux()}
	for _, r := range s.routes() {
		s.mux.HandleFunc(r.method+" "+prefix+r.path, s.handle(r.do))
	}
	s.mux.HandleFunc("/", s.handle(s.nowhere))
	return s.recovering(s.authorised(s.mux))
}

// handler answers a request, or returns why it cannot.
type handler func(w http.ResponseWriter, r *http.Request) error

func (s *server) handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := h(w, r); err != nil && r.Context().Err() == nil {
			s.refuse(w, r, err)
		}
	}
}

// status is an error with a status of its own.
type status struct {
	code int
	text string
}

func (e *status) Error() string { return e.text }

func badRequest(text string) error { return &status{http.StatusBadRequest, text} }

func notFound(thing string) error { return &status{http.StatusNotFound, thing + " not found"} }

// refuse answers with an error. Only what is not the caller's fault is logged, and only that is kept from the caller.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if e, ok := err.(*status); ok {
		reply(w, e.code, map[string]string{"error": e.text})
		return
	}
	f := fault.As(err)
	body := map[string]string{"error": f.Error()}
	if f.Hint != "" {
		body["hint"] = f.Hint
	}
	switch {
	case f.Code == fault.CodeNotFound:
		reply(w, http.StatusNotFound, body)
	case f.Kind == fault.User || f.Kind == fault.Data:
		reply(w, http.StatusBadRequest, body)
	case f.Kind == fault.Transient:
		s.Log.Warn().Err(err).Str("path", r.URL.Path).Msg("request failed")
		reply(w, http.StatusServiceUnavailable, body)
	default:
		s.Log.Error().Err(err).Str("path", r.URL.Path).Msg("request failed")
		reply(w, http.StatusInternalServerError, map[string]string{"error": "Something went wrong"})
	}
}

func reply(w http.ResponseWriter, code int, body any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		code = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"error":"Something went wrong"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func ok(w http.ResponseWriter, body any) error {
	reply(w, http.StatusOK, body)
	return nil
}

// nowhere answers for paths that there are not, and for methods that a path does not have.
func (s *server) nowhere(_ http.ResponseWriter, r *http.Request) error {
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := s.mux.Handler(other); pattern != "/" && pattern != "" {
			return &status{http.StatusMethodNotAllowed, "Method not allowed"}
		}
	}
	return &status{http.StatusNotFound, "Route not found"}
}

// authorised lets only requests with the key pass, comparing in constant time.
func (s *server) authorised(next http.Handler) http.Handler {
	if s.APIKey == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.APIKey))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(key))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recovering answers for a handler that panics.
func (s *server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.Error().Any("panic", p).Str("path", r.URL.Path).Bytes("stack", debug.Stack()).Msg("request failed")
			reply(w, http.StatusInternalServerError, map[string]string{"error": "Something went wrong"})
		}()
		next.ServeHTTP(w, r)
	})
}
