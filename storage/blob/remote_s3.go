package blob

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"gocloud.dev/blob/s3blob"

	"wadi/dataflow/fault"
)

// openS3 makes a client from the usual AWS variables and files. An endpoint of one's own means path-style addresses and
// no checksums beyond what the operation requires, which is what S3-compatible servers understand.
func openS3(ctx context.Context, u URL, env env) (driver, error) {
	name := URL{Scheme: u.Scheme, Bucket: u.Bucket, Endpoint: u.Endpoint}.String()
	cfg, err := config.LoadDefaultConfig(ctx,
		// The bucket retries by itself, on the injected clock.
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		// What goes wrong is in the errors; the SDK would print it as well.
		config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, fault.Userf(CodeCredentials, fault.Span{}, "%s: the AWS configuration cannot be read", name).
			WithCause(brief(err)).WithHint("check ~/.aws/config, ~/.aws/credentials and the AWS_ variables")
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	checksums := aws.RequestChecksumCalculation(0)
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if u.Endpoint != "" {
			o.BaseEndpoint = aws.String(u.Endpoint)
		} else if e := env("AWS_ENDPOINT"); e != "" && o.BaseEndpoint == nil {
			o.BaseEndpoint = aws.String(e)
		}
		o.DisableLogOutputChecksumValidationSkipped = true
		if o.BaseEndpoint != nil {
			o.UsePathStyle = true
			if env("AWS_REQUEST_CHECKSUM_CALCULATION") == "" {
				o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
				o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
			}
		}
		checksums = o.RequestChecksumCalculation
	})
	b, err := s3blob.OpenBucket(ctx, client, u.Bucket, &s3blob.Options{RequestChecksumCalculation: checksums})
	if err != nil {
		return nil, badURL("%s cannot be opened", name).WithCause(brief(err))
	}
	erase := func(ctx context.Context, key string) error {
		_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(u.Bucket), Key: aws.String(key)})
		return err
	}
	return &remote{bucket: b, name: name, inspect: inspectS3, erase: erase}, nil
}

func inspectS3(err error) verdict {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "NoSuchKey", "NotFound":
			return absent
		case "NoSuchBucket":
			return noBucket
		case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "AuthorizationHeaderMalformed":
			return badCredentials
		case "AccessDenied", "AllAccessDisabled", "Forbidden":
			return denied
		case "PermanentRedirect", "IllegalLocationConstraintException":
			return wrongRegion
		case "InvalidRange":
			return pastEnd
		case "SlowDown", "Throttling", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted", "ConditionalRequestConflict", "RequestTimeTooSkewed":
			return passing
		}
	}
	var re *awshttp.ResponseError
	if errors.As(err, &re) {
		if v := statusVerdict(re.HTTPStatusCode()); v != unknown {
			return v
		}
	}
	// The credential chain reports an empty chain only in words.
	if t := err.Error(); strings.Contains(t, "get credentials") || strings.Contains(t, "refresh cached credentials") || strings.Contains(t, "no EC2 IMDS role") {
		return badCredentials
	}
	return portableVerdict(err)
}
