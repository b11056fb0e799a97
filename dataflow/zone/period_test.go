package zone

import (
	"math/rand/v2"
	"testing"
	"time"
)

// shown and moment are Clock's methods by their definition.
func shown(loc *time.Location, sec int64) int64 {
	_, offset := time.Unix(sec, 0).In(loc).Zone()
	return sec + int64(offset)
}

func moment(loc *time.Location, local int64) int64 {
	_, before := time.Unix(local-day, 0).In(loc).Zone()
	_, after := time.Unix(local+day, 0).In(loc).Zone()
	if sec := local - int64(after); before == after || shown(loc, sec) == local {
		return sec
	}
	return local - int64(before)
}

func check(t *testing.T, c *Clock, sec int64) {
	t.Helper()
	if got, want := c.Local(sec), shown(c.loc, sec); got != want {
		t.Fatalf("%s shows %d at %d (%s), not %d", c.loc, got, sec, time.Unix(sec, 0).UTC(), want)
	}
	if got, want := c.Moment(sec), moment(c.loc, sec); got != want {
		t.Fatalf("%s shows %d (%s) at %d, not at %d", c.loc, sec, time.Unix(sec, 0).UTC(), want, got)
	}
}

// A clock that remembers gives what package time does for every time by itself, in all zones: at random times, at the changes of
// the clock, and on the last days of years.
func TestClocksRememberWhatIsTrue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	from, to := time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	for _, name := range Names() {
		loc, _ := Load(name)
		c := NewClock(loc)
		for range rounds {
			at := from + random.Int64N(to-from)
			p := PeriodAt(loc, at)
			if !p.Has(at) {
				t.Fatalf("%s: %d is not within its period %v", name, at, p)
			}
			year := time.Unix(at, 0).UTC().Year()
			for _, near := range []int64{at, max(p.Start, from), min(p.End, to), time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).Unix(), time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()} {
				for _, d := range []int64{-90000, -86400, -3601, -3600, -1, 0, 1, 1800, 3600, 7200, 43200, 86399, 86400} {
					check(t, c, near+d)
				}
				check(t, c, near+random.Int64N(400*day)-200*day)
			}
		}
	}
}

// Years far away, and steps of a minute over a whole leap year.
func TestClocksOverLeapYears(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC", "+05:30"} {
		loc, _ := Load(name)
		c := NewClock(loc)
		for _, year := range []int{-4, 1, 1972, 2000, 2024, 2026, 2096, 2400, 9996} {
			at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
			for end := at + 370*day; at < end; at += 10 * 60 {
				check(t, c, at)
			}
		}
	}
}

func BenchmarkClock(b *testing.B) {
	loc, _ := Load("Europe/Berlin")
	times := make([]int64, 8192)
	for i := range times {
		times[i] = 1785000000 + int64(i)*13
	}
	run := func(name string, f func(int64) int64) {
		b.Run(name, func(b *testing.B) {
			var sum int64
			for i := range b.N {
				sum += f(times[i%len(times)])
			}
			if sum == 0 {
				b.Fatal("nothing")
			}
		})
	}
	c := NewClock(loc)
	run("local", c.Local)
	run("moment", c.Moment)
	run("time", func(sec int64) int64 { return shown(loc, sec) })
}
