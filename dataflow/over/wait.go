package over

import "wadi/dataflow/graph"

// determined reports whether all that the results of the row at a position depend on is known.
func (o *over) determined(p *partition, at int64) bool {
	if o.complete {
		return true
	}
	for i := range o.calls {
		c := &o.calls[i]
		switch {
		case c.whole:
			return false
		case c.kind == lead:
			if at, ok := o.ahead(p, c, at); !ok || at >= p.end() {
				return false
			}
		}
	}
	for i := range o.frames {
		if !o.frameKnown(p, &o.frames[i], at) {
			return false
		}
	}
	return true
}

// frameKnown reports whether no row can come any more that belongs into the frame of a row.
func (o *over) frameKnown(p *partition, f *frame, at int64) bool {
	to := f.To
	switch {
	case to.Kind == graph.UnboundedFollowing:
		return false
	case to.Kind != graph.Following:
		return true
	case f.Unit == graph.Rows:
		return add(at, to.N) < p.end()
	case f.Unit == graph.Groups:
		return o.group(p, p.end()-1) >= add(o.group(p, at), to.N)
	}
	return add(o.rows.Time(p.row(at)), to.N) < o.progress.Watermark
}

// waits reports whether a row may have to wait for later ones.
func (o *over) waits() bool {
	for i := range o.calls {
		if o.calls[i].whole || o.calls[i].kind == lead {
			return true
		}
	}
	for i := range o.frames {
		if k := o.frames[i].To.Kind; k == graph.Following || k == graph.UnboundedFollowing {
			return true
		}
	}
	return false
}
