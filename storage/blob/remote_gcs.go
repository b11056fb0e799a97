package blob

import (
	"context"
	"errors"
	"net/http"

	"cloud.google.com/go/storage"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"

	"wadi/dataflow/fault"
)

const gcsScope = "https://www.googleapis.com/auth/devstorage.read_write"

// openGCS takes a service account's key from GOOGLE_SERVICE_ACCOUNT_KEY, else the default credentials; neither with
// STORAGE_EMULATOR_HOST.
func openGCS(ctx context.Context, u URL, env env) (driver, error) {
	name := URL{Scheme: u.Scheme, Bucket: u.Bucket}.String()
	client, err := gcsClient(ctx, env)
	if err != nil {
		return nil, fault.Userf(CodeCredentials, fault.Span{}, "%s: there are no usable Google credentials", name).
			WithCause(brief(err)).WithHint("%s", credentialHint(name))
	}
	b, err := gcsblob.OpenBucket(ctx, client, u.Bucket, nil)
	if err != nil {
		return nil, badURL("%s cannot be opened", name).WithCause(brief(err))
	}
	var sc *storage.Client
	if b.As(&sc) {
		// The bucket retries by itself; this client would go on until the context ends.
		sc.SetRetry(storage.WithPolicy(storage.RetryNever))
	}
	return &remote{bucket: b, name: name, inspect: inspectGCS}, nil
}

func gcsClient(ctx context.Context, env env) (*gcp.HTTPClient, error) {
	if env("STORAGE_EMULATOR_HOST") != "" {
		return gcp.NewAnonymousHTTPClient(gcp.DefaultTransport()), nil
	}
	var creds *google.Credentials
	var err error
	if key := env("GOOGLE_SERVICE_ACCOUNT_KEY"); key != "" {
		creds, err = google.CredentialsFromJSONWithType(ctx, []byte(key), google.ServiceAccount, gcsScope)
	} else {
		creds, err = gcp.DefaultCredentials(ctx)
	}
	if err != nil {
		return nil, err
	}
	return gcp.NewHTTPClient(gcp.DefaultTransport(), gcp.CredentialsTokenSource(creds))
}

func inspectGCS(err error) verdict {
	switch {
	case errors.Is(err, storage.ErrObjectNotExist):
		return absent
	case errors.Is(err, storage.ErrBucketNotExist):
		return noBucket
	}
	var ge *googleapi.Error
	if errors.As(err, &ge) {
		if ge.Code == http.StatusNotFound {
			return absent
		}
		if v := statusVerdict(ge.Code); v != unknown {
			return v
		}
	}
	return portableVerdict(err)
}
