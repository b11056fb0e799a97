package logs_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"wadi/run/logs"
)

func TestLevelsPerPackage(t *testing.T) {
	l, err := logs.ParseLevels("warn, controller=debug", zerolog.InfoLevel)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s, err := logs.New(&out, "json", l, false)
	if err != nil {
		t.Fatal(err)
	}
	c, w := s.For("controller"), s.For("worker")
	c.Debug().Msg("seen")
	w.Info().Msg("hidden")
	w.Warn().Msg("seen too")
	if got := out.String(); !strings.Contains(got, `"seen"`) || strings.Contains(got, "hidden") || !strings.Contains(got, "seen too") {
		t.Errorf("log is %s", got)
	}
}

func TestUnknownLevelAndFormatAreRefused(t *testing.T) {
	for _, text := range []string{"loud", "controller=", "a=b=c"} {
		if _, err := logs.ParseLevels(text, zerolog.InfoLevel); err == nil {
			t.Errorf("%q was taken for levels", text)
		}
	}
	if _, err := logs.New(&bytes.Buffer{}, "xml", logs.Levels{}, false); err == nil {
		t.Error("xml was taken for a format")
	}
}

func TestLogfmtQuotesAndOrders(t *testing.T) {
	var out bytes.Buffer
	s, _ := logs.New(&out, "logfmt", logs.Levels{Default: zerolog.InfoLevel}, false)
	l := s.For("run")
	l.Info().Int("rows", 3).Str("name", "a b").Msg("two words")
	if got := out.String(); !strings.Contains(got, `level=info message="two words" name="a b" package=run rows=3`) {
		t.Errorf("line is %s", got)
	}
}
