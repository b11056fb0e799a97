package blob

import (
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"gocloud.dev/blob/azureblob"

	"wadi/dataflow/fault"
)

// openAzure takes account and credentials from the AZURE_STORAGE_ variables, else from the default Azure credentials.
// An account in the URL wins over the variable.
func openAzure(u URL, env env) (driver, error) {
	name := URL{Scheme: u.Scheme, Bucket: u.Bucket, Account: u.Account}.String()
	opts := azureblob.NewDefaultServiceURLOptions()
	if u.Account != "" && u.Account != opts.AccountName {
		// A token made for one account is not sent to another.
		if opts.SASToken != "" && opts.AccountName != "" {
			return nil, fault.Userf(CodeCredentials, fault.Span{}, "%s: AZURE_STORAGE_SAS_TOKEN belongs to another account", name).
				WithHint("set AZURE_STORAGE_ACCOUNT to the account of the URL, or unset AZURE_STORAGE_SAS_TOKEN")
		}
		opts.AccountName = u.Account
	}
	if opts.AccountName == "" {
		return nil, fault.Userf(CodeBadURL, fault.Span{}, "%s names no storage account", name).
			WithHint("set AZURE_STORAGE_ACCOUNT, or write abfss://container@account.dfs.core.windows.net/prefix")
	}
	service, err := azureblob.NewServiceURL(opts)
	if err != nil {
		return nil, badURL("%s cannot be opened", name).WithCause(brief(err))
	}
	client, err := azureblob.NewDefaultClient(service, azureblob.ContainerName(u.Bucket))
	if err != nil {
		return nil, fault.Userf(CodeCredentials, fault.Span{}, "%s: there are no usable Azure credentials", name).
			WithCause(brief(err)).WithHint("%s", credentialHint(name))
	}
	b, err := azureblob.OpenBucket(context.Background(), client, nil)
	if err != nil {
		return nil, badURL("%s cannot be opened", name).WithCause(brief(err))
	}
	return &remote{bucket: b, name: name, inspect: inspectAzure}, nil
}

func inspectAzure(err error) verdict {
	var re *azcore.ResponseError
	if errors.As(err, &re) {
		switch bloberror.Code(re.ErrorCode) {
		case bloberror.BlobNotFound:
			return absent
		case bloberror.ContainerNotFound:
			return noBucket
		case bloberror.AuthenticationFailed, bloberror.InvalidAuthenticationInfo:
			return badCredentials
		case bloberror.AuthorizationFailure, bloberror.AuthorizationPermissionMismatch, bloberror.InsufficientAccountPermissions:
			return denied
		case bloberror.InvalidRange:
			return pastEnd
		}
		if re.StatusCode == http.StatusNotFound {
			return absent
		}
		if v := statusVerdict(re.StatusCode); v != unknown {
			return v
		}
	}
	return portableVerdict(err)
}
