package clock_test

import (
	"testing"
	"time"

	"wadi/dataflow/clock"
)

func TestVirtualFiresWhatIsDue(t *testing.T) {
	v := clock.NewVirtual(time.Unix(100, 0))
	early, late, at := v.After(time.Second), v.After(time.Minute), v.After(0)
	<-at
	v.Advance(time.Second)
	if got := <-early; !got.Equal(time.Unix(101, 0)) {
		t.Errorf("fired with %v", got)
	}
	select {
	case <-late:
		t.Error("a timer fired early")
	default:
	}
	v.Advance(time.Hour)
	<-late
}

func TestAwaitTimers(t *testing.T) {
	v, done := &clock.Virtual{}, make(chan struct{})
	go func() { <-v.After(time.Second); close(done) }()
	if !v.AwaitTimers(1, nil) {
		t.Error("no timer")
	}
	v.Advance(time.Second)
	<-done
	if v.AwaitTimers(1, done) {
		t.Error("a timer where there is none")
	}
}
