package blob

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"gocloud.dev/gcerrors"

	"wadi/dataflow/fault"
)

// verdict is what a provider's error means, whatever the provider.
type verdict uint8

const (
	unknown verdict = iota
	absent
	noBucket
	denied
	badCredentials
	wrongRegion
	pastEnd
	passing
)

// statusVerdict reads an HTTP status that no provider-specific code explains.
func statusVerdict(status int) verdict {
	switch {
	case status == http.StatusUnauthorized:
		return badCredentials
	case status == http.StatusForbidden:
		return denied
	case status == http.StatusMovedPermanently, status == http.StatusTemporaryRedirect:
		return wrongRegion
	case status == http.StatusRequestedRangeNotSatisfiable:
		return pastEnd
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooManyRequests, status >= 500:
		return passing
	}
	return unknown
}

// networkVerdict finds errors of the connection, which may go away.
func networkVerdict(err error) verdict {
	var ne net.Error
	switch {
	case errors.As(err, &ne), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNREFUSED),
		errors.Is(err, syscall.EPIPE), strings.Contains(err.Error(), "no such host"):
		return passing
	}
	return unknown
}

// fault turns a provider's error into a fault; nil stays nil.
func (r *remote) fault(key string, err error) error {
	if err == nil {
		return nil
	}
	where := r.where(key)
	user := func(code fault.Code, format string, args ...any) *fault.Error {
		return fault.Userf(code, fault.Span{}, format, args...).WithCause(brief(err))
	}
	switch r.inspect(err) {
	case absent:
		return notFound(where)
	case noBucket:
		return fault.Userf(CodeNoBucket, fault.Span{}, "%s: there is no such bucket", r.name).
			WithHint("create the bucket first, or check its name, the region and the endpoint")
	case denied:
		return user(CodePermission, "%s: no permission", where).
			WithHint("the credentials need to list the bucket and to read, write and delete its objects")
	case badCredentials:
		return user(CodeCredentials, "%s: the credentials are missing or not accepted", r.name).
			WithHint("%s", credentialHint(r.name))
	case wrongRegion:
		return user(CodeNoBucket, "%s: the bucket is in another region", r.name).
			WithHint("set AWS_REGION to the bucket's region")
	case passing:
		return fault.Transientf(brief(err), "%s", where).WithHint("check the network and the endpoint")
	}
	return user(fault.CodeIO, "%s", where).WithHint("check the name of the bucket and the credentials")
}

func credentialHint(name string) string {
	switch {
	case strings.HasPrefix(name, "gs:"):
		return "set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run gcloud auth application-default login"
	case strings.HasPrefix(name, "s3:"):
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
	}
	return "set AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or run az login"
}

// brief is the one line of a provider's error that says what happened. Providers like to print whole requests.
func brief(err error) error {
	text := err.Error()
	text, _, _ = strings.Cut(text, "\n")
	for _, lead := range []string{"get credentials: ", "api error "} {
		if i := strings.Index(text, lead); i >= 0 {
			text = text[i+len(lead):]
		}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		text = op.Error()
	}
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		text = "no answer in time"
	}
	return errors.New(text)
}

// portableVerdict reads what gocloud made of an error, for what a provider's own inspection leaves open. It never says
// absent: gocloud also calls a refused or unreachable Google bucket "not found".
func portableVerdict(err error) verdict {
	if v := networkVerdict(err); v != unknown {
		return v
	}
	switch gcerrors.Code(err) {
	case gcerrors.PermissionDenied:
		return denied
	case gcerrors.ResourceExhausted, gcerrors.DeadlineExceeded:
		return passing
	}
	return unknown
}
