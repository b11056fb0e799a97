package blob_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wadi/storage/blob"
)

func TestParse(t *testing.T) {
	wd, err := os.Getwd()
	must(t, err)
	for text, want := range map[string]blob.URL{
		"/a/b/":                              {Scheme: "file", Dir: "/a/b"},
		"a/b":                                {Scheme: "file", Dir: filepath.Join(wd, "a/b")},
		"./a":                                {Scheme: "file", Dir: filepath.Join(wd, "a")},
		"../a":                               {Scheme: "file", Dir: filepath.Join(wd, "../a")},
		".":                                  {Scheme: "file", Dir: wd},
		"a:b/c":                              {Scheme: "file", Dir: filepath.Join(wd, "a:b/c")},
		"./~":                                {Scheme: "file", Dir: filepath.Join(wd, "~")},
		"file:///a%20b/c":                    {Scheme: "file", Dir: "/a b/c"},
		"file:/a/b":                          {Scheme: "file", Dir: "/a/b"},
		"file://localhost/a":                 {Scheme: "file", Dir: "/a"},
		"s3://b":                             {Scheme: "s3", Bucket: "b"},
		"s3://b/p/q/":                        {Scheme: "s3", Bucket: "b", Prefix: "p/q"},
		"S3A://b/p":                          {Scheme: "s3", Bucket: "b", Prefix: "p"},
		"s3::http://h:9000/b/p":              {Scheme: "s3", Bucket: "b", Prefix: "p", Endpoint: "http://h:9000"},
		"gs://b/p":                           {Scheme: "gs", Bucket: "b", Prefix: "p"},
		"azblob://c/p":                       {Scheme: "azblob", Bucket: "c", Prefix: "p"},
		"mem://n":                            {Scheme: "mem", Bucket: "n"},
		"abfss://c@a.dfs.core.windows.net/p": {Scheme: "azblob", Bucket: "c", Prefix: "p", Account: "a"},
		"abfs://c@a.dfs.core.windows.net":    {Scheme: "azblob", Bucket: "c", Account: "a"},
	} {
		got, err := blob.Parse(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
			continue
		}
		if again, err := blob.Parse(got.String()); err != nil || again != got {
			t.Errorf("%s prints as %s, which is %+v, %v", text, got, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", " ", "~/a", "~", "http://x/y", "ftp://x", "file://a/b", "file:a/b", "file:///%zz", "s3://", "s3:///p",
		"s3://b/../c", "s3://b/p//c", "s3://b?region=x", "s3://b/p#f", "abfs://c/p", "abfs://c@a.example.com/p", "abfs://@a.dfs.core.windows.net",
		"s3::ftp://h/b", "s3::http://h", "a\x00b", "file:///a%00b"} {
		u, err := blob.Parse(text)
		if err == nil {
			t.Errorf("%q is taken as %+v", text, u)
			continue
		}
		if f := wantAny(t, err); f.Hint == "" {
			t.Errorf("%q: no hint: %v", text, err)
		}
	}
}

func TestParseNeverRepeatsSecrets(t *testing.T) {
	for _, text := range []string{"s3://AKIA:hush@bucket/p", "s3::http://AKIA:hush@host/bucket", "gs://hush@b"} {
		_, err := blob.Parse(text)
		if f := wantAny(t, err); strings.Contains(f.Error()+f.Hint, "hush") {
			t.Errorf("%v", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"s3://b/p", "file:///a", "abfs://c@a.dfs.core.windows.net/p", "s3::http://h/b", "x://", "a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := blob.Parse(text)
		if err != nil {
			return
		}
		again, err := blob.Parse(u.String())
		if err != nil || again != u {
			t.Errorf("%q → %+v → %q → %+v, %v", text, u, u.String(), again, err)
		}
	})
}
