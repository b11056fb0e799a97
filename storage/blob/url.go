package blob

import (
	"net/url"
	"path/filepath"
	"strings"

	"wadi/dataflow/fault"
)

// Schemes of a URL.
const (
	SchemeFile  = "file"
	SchemeS3    = "s3"
	SchemeGCS   = "gs"
	SchemeAzure = "azblob"
	SchemeMem   = "mem"
)

// URL is a parsed storage URL.
type URL struct {
	// Scheme is one of the Scheme constants.
	Scheme string
	// Bucket is the bucket, the Azure container, or the name of a mem bucket; empty for local paths.
	Bucket string
	// Prefix is the path below the bucket, without leading and trailing slashes; empty for local paths.
	Prefix string
	// Account is the Azure storage account when the URL names one.
	Account string
	// Endpoint is the address of an S3-compatible server when the URL names one ("s3::http://host:9000/bucket").
	Endpoint string
	// Dir is the absolute, clean path of a local folder.
	Dir string
}

// Remote reports whether the objects outlive this machine.
func (u URL) Remote() bool { return u.Scheme != SchemeFile && u.Scheme != SchemeMem }

// String gives a text that Parse turns into the same URL: a plain path for local folders.
func (u URL) String() string {
	if u.Scheme == SchemeFile {
		return u.Dir
	}
	tail := ""
	if u.Prefix != "" {
		tail = "/" + u.Prefix
	}
	switch {
	case u.Endpoint != "":
		return "s3::" + u.Endpoint + "/" + u.Bucket + tail
	case u.Account != "":
		return "abfss://" + u.Bucket + "@" + u.Account + ".dfs.core.windows.net" + tail
	}
	return u.Scheme + "://" + u.Bucket + tail
}

const knownForms = "use a path, file:///path, s3://bucket/prefix, gs://bucket/prefix, azblob://container/prefix, or abfss://container@account.dfs.core.windows.net/prefix"

func badURL(format string, args ...any) *fault.Error {
	return fault.Userf(CodeBadURL, fault.Span{}, format, args...).WithHint(knownForms)
}

// Parse understands plain absolute and relative paths (relative to the working directory), file:, s3:// and s3a://,
// s3::http(s)://host:port/bucket/prefix, gs://, azblob://, abfs:// and abfss://, and mem://. It does no I/O.
func Parse(text string) (URL, error) {
	if strings.TrimSpace(text) == "" {
		return URL{}, badURL("the storage URL is empty")
	}
	if strings.ContainsRune(text, 0) {
		return URL{}, badURL("the storage URL holds a NUL byte")
	}
	if rest, ok := strings.CutPrefix(text, "s3::"); ok {
		return parseEndpoint(rest)
	}
	scheme, rest, ok := cutScheme(text)
	if !ok {
		return parsePath(text)
	}
	switch scheme {
	case "file":
		return parseFile(rest)
	case "s3", "s3a":
		return parseObject(SchemeS3, rest)
	case "gs":
		return parseObject(SchemeGCS, rest)
	case "azblob":
		return parseObject(SchemeAzure, rest)
	case "abfs", "abfss":
		return parseABFS(rest)
	case "mem":
		return parseObject(SchemeMem, rest)
	}
	return URL{}, badURL("unknown storage scheme %q", scheme+"://")
}

// cutScheme splits "scheme://rest" and "file:rest". Other texts with a colon are paths.
func cutScheme(text string) (scheme, rest string, ok bool) {
	if rest, ok := strings.CutPrefix(text, "file:"); ok {
		return "file", rest, true
	}
	scheme, rest, ok = strings.Cut(text, "://")
	if !ok || scheme == "" {
		return "", "", false
	}
	for _, c := range scheme {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return "", "", false
		}
	}
	return strings.ToLower(scheme), rest, true
}

func parsePath(path string) (URL, error) {
	if path == "~" || strings.HasPrefix(path, "~/") {
		return URL{}, badURL("the path %q begins with a tilde that the shell did not replace", path).
			WithHint("write the path without quotes, or write $HOME in place of the tilde; ./~ is a folder of that name")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return URL{}, badURL("the relative path %q has no working directory to start from", path).WithCause(err)
	}
	return URL{Scheme: SchemeFile, Dir: abs}, nil
}

func parseFile(rest string) (URL, error) {
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		host, path, _ := strings.Cut(after, "/")
		if host != "" && host != "localhost" {
			return URL{}, badURL("file://%s names a host", host).
				WithHint("write file:/// with three slashes before an absolute path, or a plain path for a relative one")
		}
		rest = "/" + path
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return URL{}, badURL("file:%s has a broken %%-escape", rest)
	}
	if strings.ContainsRune(path, 0) {
		return URL{}, badURL("the storage URL holds a NUL byte")
	}
	if !strings.HasPrefix(path, "/") {
		return URL{}, badURL("file:%s is not an absolute path", rest).
			WithHint("write file:///path, or a plain path for a relative one")
	}
	return URL{Scheme: SchemeFile, Dir: filepath.Clean(path)}, nil
}

func parseObject(scheme, rest string) (URL, error) {
	name, prefix, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		return URL{}, badURL("%s://…@%s holds credentials", scheme, name[i+1:]).
			WithHint("leave credentials to the environment, for example AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	if strings.ContainsAny(rest, "?#") {
		return URL{}, badURL("%s://%s has a query or a fragment", scheme, strings.FieldsFunc(rest, isQueryMark)[0]).
			WithHint("settings such as region and endpoint are taken from the environment, for example AWS_REGION and AWS_ENDPOINT_URL")
	}
	if name == "" {
		return URL{}, badURL("%s:// names no bucket", scheme)
	}
	prefix, err := cleanPrefix(prefix)
	if err != nil {
		return URL{}, err
	}
	return URL{Scheme: scheme, Bucket: name, Prefix: prefix}, nil
}

func isQueryMark(r rune) bool { return r == '?' || r == '#' }

func cleanPrefix(prefix string) (string, error) {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return "", nil
	}
	return prefix, ValidKey(prefix)
}

func parseABFS(rest string) (URL, error) {
	authority, prefix, _ := strings.Cut(rest, "/")
	container, host, ok := strings.Cut(authority, "@")
	if !ok {
		return URL{}, badURL("abfss://%s names no storage account", authority)
	}
	account, domain, ok := strings.Cut(host, ".")
	if !ok || account == "" || container == "" || (domain != "dfs.core.windows.net" && domain != "blob.core.windows.net") {
		return URL{}, badURL("abfss://%s is not of the form container@account.dfs.core.windows.net", authority)
	}
	u, err := parseObject(SchemeAzure, container+"/"+prefix)
	u.Account = account
	return u, err
}

func parseEndpoint(rest string) (URL, error) {
	scheme, after, ok := strings.Cut(rest, "://")
	host, path, _ := strings.Cut(after, "/")
	if !ok || (scheme != "http" && scheme != "https") || host == "" {
		return URL{}, badURL("s3::%s is not of the form s3::http://host:port/bucket/prefix", rest)
	}
	if strings.Contains(host, "@") {
		return URL{}, badURL("s3::%s://… holds credentials", scheme).
			WithHint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	u, err := parseObject(SchemeS3, path)
	u.Endpoint = scheme + "://" + host
	return u, err
}
