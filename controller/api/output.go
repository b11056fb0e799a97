package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"wadi/controller"
	"wadi/dataflow/graph"
)

// keepAlive is how often an event stream on which nothing happens says that it is alive.
const keepAlive = 15 * time.Second

// getOutput streams the rows of preview sinks as server-sent events. Who comes back with Last-Event-ID misses nothing
// that is still kept.
func (s *server) getOutput(w http.ResponseWriter, r *http.Request) error {
	j, err := s.job(r)
	if err != nil {
		return err
	}
	pj, err := s.pipeline(r)
	if err != nil {
		return err
	}
	if p, err := s.program(pj); err != nil || !hasPreview(p) {
		return badRequest("the pipeline has no preview sink")
	}
	reader, running := s.Controller.Output(j.Config.ID)
	if !running {
		return badRequest("Job is not running")
	}
	after, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 63) // absent or strange: from the start
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	s.follow(w, r, reader, after)
	return nil
}

// follow sends rows as they come, until there are no more or the client has gone.
func (s *server) follow(w http.ResponseWriter, r *http.Request, reader *controller.OutputReader, after uint64) {
	flush := http.NewResponseController(w)
	for {
		rows, first, done, changed := reader.After(after)
		for i, row := range rows {
			after = first + uint64(i)
			b, err := json.Marshal(row)
			if err != nil {
				return // rows are text and numbers
			}
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", after, b); err != nil {
				return
			}
		}
		if err := flush.Flush(); err != nil || done && len(rows) == 0 {
			return
		}
		if len(rows) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-s.Clock.After(keepAlive):
			if _, err := fmt.Fprint(w, ": alive\n\n"); err != nil {
				return
			}
		}
	}
}

func hasPreview(p *graph.Program) bool {
	for i := range p.Nodes {
		if sink, ok := p.Nodes[i].Spec.(*graph.SinkSpec); ok && sink.Connector == controller.PreviewConnector {
			return true
		}
	}
	return false
}
