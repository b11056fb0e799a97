package blob_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"wadi/dataflow/fault"
	"wadi/storage/blob"
)

// answering runs a server that gives every request one answer, and gives its address.
func answering(t *testing.T, status int, header, body string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if header != "" {
			w.Header().Set("x-ms-error-code", header)
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// checkAnswers compares what Get, List and PutIfAbsent make of a server's one answer. An empty code means no error.
func checkAnswers(t *testing.T, what string, b blob.Bucket, get, list, create fault.Code) {
	t.Helper()
	_, getErr := b.Get(t.Context(), "k")
	_, listErr := b.List(t.Context(), "")
	_, createErr := b.PutIfAbsent(t.Context(), "k", nil)
	for i, err := range []error{getErr, listErr, createErr} {
		want := []fault.Code{get, list, create}[i]
		f := fault.As(err)
		if f == nil || f.Code != want || want != fault.CodeNotFound && f.Hint == "" || strings.Contains(f.Error(), "\n") {
			t.Errorf("%s, call %d: %v, want %s", what, i, err, want)
		}
	}
}

// Google answers 403 for what gocloud then calls "not found": a checkpoint that may not be read must not count as absent.
func TestGoogleFaults(t *testing.T) {
	for _, c := range []struct {
		status            int
		get, list, create fault.Code
	}{
		{403, blob.CodePermission, blob.CodePermission, blob.CodePermission},
		{401, blob.CodeCredentials, blob.CodeCredentials, blob.CodeCredentials},
		{503, fault.CodeIO, fault.CodeIO, fault.CodeIO},
	} {
		t.Setenv("STORAGE_EMULATOR_HOST", answering(t, c.status, "", ""))
		checkAnswers(t, fmt.Sprint(c.status), openQuick(t, "gs://bucket/p"), c.get, c.list, c.create)
	}
	t.Setenv("STORAGE_EMULATOR_HOST", answering(t, 404, "", ""))
	_, err := openQuick(t, "gs://bucket/p").Get(t.Context(), "k")
	wantCode(t, err, fault.CodeNotFound)
}

func TestAzureFaults(t *testing.T) {
	for _, c := range []struct {
		status            int
		code              string
		get, list, create fault.Code
	}{
		{403, "AuthenticationFailed", blob.CodeCredentials, blob.CodeCredentials, blob.CodeCredentials},
		{403, "AuthorizationPermissionMismatch", blob.CodePermission, blob.CodePermission, blob.CodePermission},
		{404, "ContainerNotFound", blob.CodeNoBucket, blob.CodeNoBucket, blob.CodeNoBucket},
		{404, "BlobNotFound", fault.CodeNotFound, fault.CodeNotFound, fault.CodeNotFound},
	} {
		t.Setenv("AZURE_STORAGE_ACCOUNT", "account")
		t.Setenv("AZURE_STORAGE_KEY", "a2V5")
		t.Setenv("AZURE_STORAGE_PROTOCOL", "http")
		t.Setenv("AZURE_STORAGE_DOMAIN", answering(t, c.status, c.code, ""))
		checkAnswers(t, c.code, openQuick(t, "azblob://container/p"), c.get, c.list, c.create)
	}
}

func TestAzureAccounts(t *testing.T) {
	t.Setenv("AZURE_STORAGE_ACCOUNT", "")
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "")
	t.Setenv("AZURE_STORAGEBLOB_CONNECTIONSTRING", "")
	_, err := blob.Open(t.Context(), "azblob://container")
	if f := wantCode(t, err, blob.CodeBadURL); !strings.Contains(f.Hint, "AZURE_STORAGE_ACCOUNT") {
		t.Errorf("hint: %s", f.Hint)
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", "mine")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sig=hush")
	_, err = blob.Open(t.Context(), "abfss://c@other.dfs.core.windows.net")
	if f := wantCode(t, err, blob.CodeCredentials); strings.Contains(f.Error()+f.Hint, "hush") {
		t.Errorf("%v", f)
	}
}
