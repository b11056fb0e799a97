package blob_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
)

// startS3 runs an S3 server on loopback and gives the head of its URLs. wrap, if given, stands before the server.
func startS3(t *testing.T, bucket string, wrap ...func(http.Handler) http.Handler) string {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	var h http.Handler = gofakes3.New(backend, gofakes3.WithLogger(gofakes3.StdLog(log.New(io.Discard, "", 0)))).Server()
	for _, w := range wrap {
		h = w(h)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return "s3::" + srv.URL
}

// quick retries without much waiting.
func quick() *blob.Opener {
	return &blob.Opener{Retry: blob.Retry{Attempts: 4, Base: time.Microsecond, Cap: time.Microsecond}}
}

func openQuick(t *testing.T, url string) blob.Bucket {
	t.Helper()
	b, err := quick().Open(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestS3EndpointFromEnvironment(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"} {
		t.Run(name, func(t *testing.T) {
			url := startS3(t, "bucket")
			t.Setenv(name, strings.TrimPrefix(url, "s3::"))
			b := openQuick(t, "s3a://bucket/p")
			must(t, b.Put(t.Context(), "k", []byte("v")))
			wantGet(t, b, "k", "v")
			if b.String() != "s3://bucket/p" {
				t.Errorf("named %s", b)
			}
		})
	}
}

func TestS3FaultsSayWhatToDo(t *testing.T) {
	answer := func(status int, code string) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(status)
				if code != "" && r.Method != http.MethodHead {
					_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>told so</Message></Error>")
				}
			})
		}
	}
	for _, c := range []struct {
		status int
		code   string
		want   fault.Code
		hint   string
	}{
		{403, "AccessDenied", blob.CodePermission, "credentials need to"},
		{403, "InvalidAccessKeyId", blob.CodeCredentials, "AWS_ACCESS_KEY_ID"},
		{403, "SignatureDoesNotMatch", blob.CodeCredentials, "AWS_ACCESS_KEY_ID"},
		{400, "ExpiredToken", blob.CodeCredentials, "AWS_ACCESS_KEY_ID"},
		{404, "NoSuchBucket", blob.CodeNoBucket, "create the bucket"},
		{301, "PermanentRedirect", blob.CodeNoBucket, "AWS_REGION"},
		{503, "SlowDown", fault.CodeIO, "network"},
		{500, "", fault.CodeIO, "network"},
		{418, "Teapot", fault.CodeIO, "credentials"},
	} {
		b := openQuick(t, startS3(t, "bucket", answer(c.status, c.code))+"/bucket")
		_, getErr := b.Get(t.Context(), "k")
		_, listErr := b.List(t.Context(), "")
		_, createErr := b.PutIfAbsent(t.Context(), "k", nil)
		for _, err := range []error{getErr, listErr, createErr, b.Put(t.Context(), "k", nil)} {
			f := wantCode(t, err, c.want)
			if !strings.Contains(f.Hint, c.hint) || !strings.Contains(f.Error(), "/bucket") || strings.Contains(f.Error(), "\n") {
				t.Errorf("%d %s: %v (hint: %s)", c.status, c.code, f, f.Hint)
			}
		}
	}
}

func TestS3NobodyListening(t *testing.T) {
	startS3(t, "bucket")
	b := openQuick(t, "s3::http://127.0.0.1:1/bucket")
	_, err := b.Get(t.Context(), "k")
	f := wantCode(t, err, fault.CodeIO)
	if f.Kind != fault.Transient || !strings.Contains(f.Error(), "refused") {
		t.Errorf("%v", f)
	}
}

// flaky fails the first requests of every method and path; with late, after the server has acted.
func flaky(failures int, late bool) func(http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			seen[r.Method+r.URL.Path]++
			pass := seen[r.Method+r.URL.Path] > failures
			mu.Unlock()
			if pass {
				h.ServeHTTP(w, r)
				return
			}
			if late {
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		})
	}
}

func TestS3RetriesEveryVerb(t *testing.T) {
	b := openQuick(t, startS3(t, "bucket", flaky(2, false))+"/bucket")
	must(t, b.Put(t.Context(), "k", []byte("v")))
	wantGet(t, b, "k", "v")
	if created, err := b.PutIfAbsent(t.Context(), "new", nil); err != nil || !created {
		t.Fatal(created, err)
	}
	if got := keys(t, b, ""); got != "k new" {
		t.Fatal(got)
	}
	must(t, b.Delete(t.Context(), "k"))
}

func TestS3CreateWhoseAnswerWasLostIsStillCreated(t *testing.T) {
	b := openQuick(t, startS3(t, "bucket", flaky(1, true))+"/bucket")
	created, err := b.PutIfAbsent(t.Context(), "k", []byte("mine"))
	if err != nil || !created {
		t.Fatalf("the only creator is told %v, %v", created, err)
	}
	created, err = b.PutIfAbsent(t.Context(), "k", []byte("mine"))
	if err != nil || created {
		t.Fatalf("a second creation of the same bytes is told %v, %v", created, err)
	}
}

func TestProbeFindsServersThatIgnoreTheCondition(t *testing.T) {
	ignore := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-None-Match")
			h.ServeHTTP(w, r)
		})
	}
	b := openQuick(t, startS3(t, "bucket", ignore)+"/bucket")
	f := wantCode(t, blob.ProbeConditionalPut(t.Context(), b), blob.CodeUnsafeStore)
	if f.Hint == "" {
		t.Error("no hint")
	}
	if got := keys(t, b, ""); got != "" {
		t.Errorf("the probe left %s", got)
	}
}
