package bind

import (
	"time"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// window binds tumble(width), hop(slide, width) or session(gap) and gives the column that stands for the window.
func (p *place) window(name string, e *ast.Call) *expr.Node {
	if p.aggregates == nil || p.inAggregate {
		p.misplacedWindow(name, e.Span())
		return nil
	}
	if !p.plain(name, e) {
		return nil
	}
	w, err := p.b.windowSpec(name, e)
	if err != nil {
		p.b.errs = append(p.b.errs, err)
		return nil
	}
	at := -1
	for i, o := range p.aggregates.windows {
		if o.window == w {
			at = i
		}
	}
	if at < 0 {
		at = len(p.aggregates.windows)
		p.aggregates.windows = append(p.aggregates.windows, windowCall{w, name, e.Span()})
	}
	return &expr.Node{Kind: expr.Column, Index: firstWindow + at, Name: name, Type: expr.Window, Span: e.Span()}
}

func (p *place) misplacedWindow(name string, span fault.Span) {
	p.b.errorf(CodeWindow, span, "time window function %s is not allowed in this context", name).
		WithHint("are you missing a GROUP BY clause? Group by the window, and name it in the select list")
}

// windowSpec reads the arguments of a window call.
func (b *Binder) windowSpec(name string, e *ast.Call) (graph.Window, *fault.Error) {
	want, form := 1, "tumble(INTERVAL '1 minute')"
	switch name {
	case "session":
		form = "session(INTERVAL '30 seconds')"
	case "hop":
		want, form = 2, "hop(INTERVAL '10 seconds', INTERVAL '1 minute'): slide first, then width"
	}
	if len(e.Args) != want {
		return graph.Window{}, fault.Userf(CodeWindow, e.Span(), "%s takes %d arguments, not %d", name, want, len(e.Args)).WithHint("write %s", form)
	}
	widths := make([]int64, want)
	for i, a := range e.Args {
		if a.Name != nil {
			return graph.Window{}, fault.Userf(fault.CodeUnsupported, a.Span(), "%s has no named arguments", name).WithHint("write %s", form)
		}
		d, err := b.duration(a.Value)
		if err != nil {
			return graph.Window{}, err
		}
		if d <= 0 {
			return graph.Window{}, fault.Userf(CodeWindow, a.Span(), "the argument of %s must be longer than zero", name).WithHint("write %s", form)
		}
		widths[i] = d
	}
	switch name {
	case "session":
		return graph.Window{Kind: logical.Session, Width: widths[0], Slide: 1}, nil
	case "tumble":
		return graph.Window{Kind: graph.Tumble, Width: widths[0], Slide: widths[0]}, nil
	}
	slide, width := widths[0], widths[1]
	switch {
	case slide == width:
		return graph.Window{Kind: graph.Tumble, Width: width, Slide: width}, nil
	case width%slide != 0:
		return graph.Window{}, fault.Userf(CodeWindow, e.Span(), "hop() width %s must be a multiple of slide %s", time.Duration(width), time.Duration(slide)).
			WithHint("choose a width of %s or %s", time.Duration(width/slide*slide+slide), time.Duration(max(1, width/slide)*slide))
	}
	return graph.Window{Kind: graph.Hop, Width: width, Slide: slide}, nil
}
