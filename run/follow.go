package run

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/term"

	"wadi/dataflow/fault"
	"wadi/run/status"
)

// How often things are looked at.
const (
	pollEvery  = 50 * time.Millisecond
	drawEvery  = time.Second
	lineEvery  = 10 * time.Second
	firstPolls = 100 // polls that come faster, for queries that end at once
	firstEvery = 5 * time.Millisecond
)

// outcome is a job that failed.
type outcome struct{ reason *fault.Error }

func (o outcome) Error() string { return o.reason.Error() }
func (o outcome) Unwrap() error { return o.reason }

// follow watches the job until it ends, stops it when a signal comes, and says how it goes.
func (s *session) follow(ctx context.Context, c *cluster, q query) error {
	f := &follower{session: s, cluster: c, started: s.clock.Now()}
	f.before = c.gauge.sample(f.started, "")
	f.drawn, f.said = f.started, f.started
	defer f.end()
	signal := s.interrupts.first
	for polls := 0; ; polls++ {
		every := pollEvery
		if polls < firstPolls {
			every = firstEvery
		}
		select {
		case <-s.clock.After(every):
		case <-signal:
			signal = nil
			s.log.Info().Msg("stopping: a last checkpoint is taken")
			if err := c.client.patch(ctx, c.place.id.PipelineID, pipelinePatch{Stop: "checkpoint"}); err != nil {
				return err
			}
		}
		j, err := f.ask(ctx)
		if err != nil {
			return err
		}
		f.state(j)
		switch j.State {
		case "Stopped":
			// A job that goes on starts from here.
			if !f.moved && signal != nil {
				continue
			}
			f.summary(j.State)
			return nil
		case "Finished":
			f.summary(j.State)
			return nil
		case "Failed":
			f.summary(j.State)
			return located{outcome{f.failure(j)}, q}
		}
		f.show(j)
	}
}

// ask asks the API for the job, again where it does not answer for a moment. Where the database cannot store what has
// become of the job, the controller's own word counts.
func (f *follower) ask(ctx context.Context) (*apiJob, error) {
	j, err := f.cluster.client.job(ctx, f.cluster.place.id.PipelineID)
	if failure, ok := f.cluster.gauge.atRest(f.clock.Now()); ok && (err != nil || j.State != "Failed") {
		return &apiJob{State: "Failed", known: failure}, nil
	}
	if err != nil && fault.As(err).Kind == fault.Transient && f.unanswered < maxUnanswered {
		f.unanswered++
		return &apiJob{State: f.last}, nil
	}
	f.unanswered = 0
	return j, err
}

// maxUnanswered is how many times in a row the API may not answer.
const maxUnanswered = 200

// follower shows the progress of a job.
type follower struct {
	*session
	cluster *cluster
	started time.Time
	last    string
	// moved says that the job has been in another state than that of its start.
	moved       bool
	unanswered  int
	before      status.Sample
	drawn, said time.Time
}

// state logs a change of the job's state.
func (f *follower) state(j *apiJob) {
	if j.State == f.last {
		return
	}
	f.last = j.State
	f.moved = f.moved || j.State != "Stopped"
	switch j.State {
	case "Running":
		f.log.Info().Str("state", f.cluster.place.url).Str("api", f.cluster.address()).Msg(f.cluster.place.id.Name + " is running")
	default:
		f.log.Debug().Str("job", j.State).Msg("job")
	}
}

// show draws the status block on a terminal, or logs a line now and then.
func (f *follower) show(j *apiJob) {
	now := f.clock.Now()
	if f.console == nil {
		if now.Sub(f.said) >= lineEvery {
			f.said = now
			sample := f.cluster.gauge.sample(now, j.State)
			f.log.Info().Msg(status.Line(f.before, sample))
			f.before = sample
		}
		return
	}
	if now.Sub(f.drawn) < drawEvery {
		return
	}
	f.drawn = now
	sample := f.cluster.gauge.sample(now, j.State)
	width, _, err := term.GetSize(int(f.Stderr.Fd()))
	if err != nil {
		width = 80
	}
	f.console.Draw(status.Block(f.before, sample, f.cluster.place.id.Name, width, f.color()))
	f.before = sample
}

// summary is the last line.
func (f *follower) summary(state string) {
	f.end()
	now := f.clock.Now()
	s := f.cluster.gauge.sample(now, state)
	event := f.log.Info().Int64("rows_in", s.RowsIn).Int64("rows_out", s.RowsOut).Str("took", status.Span(now.Sub(f.started))).
		Int("checkpoints", f.cluster.gauge.count())
	if s.BadRecords > 0 {
		event = event.Int64("bad_records", s.BadRecords)
	}
	if s.LateRows > 0 {
		event = event.Int64("late_rows", s.LateRows)
	}
	event.Msg(f.cluster.place.id.Name + " " + map[string]string{"Finished": "finished", "Stopped": "stopped", "Failed": "failed"}[state])
}

// end takes the status block away.
func (f *follower) end() {
	if f.console != nil {
		f.console.Close()
	}
}

// failure is why the job failed, with the operator by the name that people know.
func (f *follower) failure(j *apiJob) *fault.Error {
	e := j.failure()
	if e == nil {
		return nil
	}
	for i := range f.cluster.gauge.program.Nodes {
		n := &f.cluster.gauge.program.Nodes[i]
		if n.ID != e.Operator && name(n) != e.Operator {
			continue
		}
		if e.Span.IsZero() {
			e.Span = n.Span
		}
		e.Message += " (in " + name(n) + ")"
		break
	}
	return e
}

// notice shows an error that does not stop the job.
func (s *session) notice(c *cluster, f *fault.Error, count int64, q query) {
	if f.Kind == fault.User {
		s.warn(f, q)
		return
	}
	c.gauge.failed(count)
	e := s.log.Warn()
	if count > 1 {
		e = e.Int64("times", count)
	}
	e.Msg(f.Error())
}

// print writes text for people, above the status block where there is one.
func (s *session) print(text string) {
	text = s.paint(text)
	if s.console != nil {
		_, _ = s.console.Above(s.Stderr).Write([]byte(text))
		return
	}
	_, _ = fmt.Fprint(s.Stderr, text)
}
