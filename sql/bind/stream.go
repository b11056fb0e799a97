package bind

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/logical"
)

// What tables have that declare no watermark.
const (
	defaultDelay = int64(time.Second)
	defaultIdle  = int64(5 * time.Minute)
)

// timeOptions are the options of a source about its time.
type timeOptions struct {
	eventTime, watermark       ast.Ident
	hasEventTime, hasWatermark bool
	idle                       int64
}

func (g *bag) timeOptions() timeOptions {
	o := timeOptions{idle: defaultIdle}
	o.eventTime, o.hasEventTime = g.column("event_time_field")
	o.watermark, o.hasWatermark = g.column("watermark_field")
	for _, id := range []ast.Ident{o.eventTime, o.watermark} {
		if id.Name != "" {
			g.b.warn(CodeDeprecated, id.Span(), "event_time_field and watermark_field are deprecated").WithHint("write WATERMARK FOR %s behind the columns", id.Name)
		}
	}
	if micros, span := g.whole("idle_micros"); !span.IsZero() {
		o.idle = max(0, micros)
		if micros > int64(1<<63-1)/1000 {
			o.idle = 0
		}
		o.idle *= 1000
	}
	return o
}

// source is a table's stream being made.
type source struct {
	b       *Binder
	t       *catalog.Table
	scan    *logical.Scan
	exprs   []*expr.Node
	fields  []arrow.Field
	visible *scope
	// ended says that the scan has a column with the ends of rows.
	ended bool
}

// stream plans what reading a source gives: scan, virtual columns and event time, watermark.
func (b *Binder) stream(t *catalog.Table, o timeOptions, s *ast.CreateTable) logical.Node {
	if len(s.Watermarks) > 1 {
		b.errorf(CodeTable, s.Watermarks[1].Span(), "a table has one watermark").WithHint("leave this one out")
		return nil
	}
	src := &source{b: b, t: t}
	src.scanTable(updating(t.Format.Name) && (len(s.Watermarks) > 0 || o.hasEventTime))
	if !b.readable(src.scan.Spec, t) || !src.virtual(s) {
		return nil
	}
	eventTime, w, ok := src.times(o, s)
	if !ok {
		return nil
	}
	var node logical.Node = src.scan
	if eventTime != nil {
		c := src.exprs[eventTime.Index]
		// A time that nanoseconds cannot hold is bad data, as a null is.
		at, err := expr.CastTo(c, expr.Timestamp, true, c.Span)
		if err != nil {
			b.report(err, c.Span)
			return nil
		}
		exprs, fields := src.exprs, src.fields
		if src.ended {
			f := src.scan.Schema().Field(len(exprs))
			exprs, fields = append(exprs, expr.NewColumn(len(exprs), f).At(t.Span)), append(fields, f)
		}
		node = logical.NewTimeProject(src.scan, exprs, fields, at, eventTime.Name, t.Format.DropBadData, eventTime.Index, t.Span)
	} else if len(src.exprs) > src.scan.Schema().NumFields() || !inOrder(src.exprs) {
		node = logical.NewProject(src.scan, src.exprs, src.fields, t.Span)
	}
	node = logical.NewWatermark(node, t.Name, w.expr, w.delay, o.idle, t.Span)
	if !src.ended {
		return node
	}
	// Only joins with the versions of the table look at the ends of rows.
	fields := node.Schema().Fields()[:len(src.exprs)]
	exprs := make([]*expr.Node, len(fields))
	for i, f := range fields {
		exprs[i] = expr.NewColumn(i, f).At(t.Span)
	}
	return logical.NewProject(node, exprs, fields, t.Span)
}

func inOrder(exprs []*expr.Node) bool {
	for i, e := range exprs {
		if e.Kind != expr.Column || e.Index != i {
			return false
		}
	}
	return true
}

// scanTable makes the scan of the columns that the connector and the format fill; with ended there is one more at the end,
// of the times at which rows end.
func (src *source) scanTable(ended bool) {
	t := src.t
	src.ended = ended
	var fields []arrow.Field
	var metadata []string
	var key []int
	hasMetadata := false
	for _, c := range t.Columns {
		if c.Virtual {
			continue
		}
		if c.PrimaryKey {
			key = append(key, len(fields))
		}
		fields = append(fields, c.Field)
		metadata = append(metadata, c.Metadata)
		hasMetadata = hasMetadata || c.Metadata != ""
	}
	if ended {
		name := "ended"
		for slices.ContainsFunc(fields, func(f arrow.Field) bool { return f.Name == name }) {
			name += "_"
		}
		fields = append(fields, arrow.Field{Name: name, Type: expr.Timestamp, Nullable: true})
		metadata, hasMetadata = append(metadata, format.Ended), true
	}
	if !hasMetadata {
		metadata = nil
	}
	mode := graph.Append
	if updating(t.Format.Name) {
		mode = graph.Updating
	}
	spec := &graph.SourceSpec{
		Table: t.Name, Connector: t.Connector.Name, Options: t.Options, Format: t.Format,
		Schema: arrow.NewSchema(fields, nil), Metadata: metadata, PrimaryKey: key,
	}
	src.scan = logical.NewScan(spec, mode, t.Connector.MaxParallelism, t.Connector.Description(t.Options), t.Span)
}

// virtual binds the computed columns over the others and casts them to their declared types.
func (src *source) virtual(s *ast.CreateTable) bool {
	physical := scopeOf(src.t.Name, src.scan)
	definitions := map[string]*ast.ColumnDef{}
	for _, c := range s.Columns {
		definitions[c.Name.Name] = c
	}
	var computed []scopeColumn
	for _, c := range src.t.Columns {
		if c.Virtual {
			computed = append(computed, scopeColumn{field: c.Field})
		}
	}
	ok, at := true, 0
	for _, c := range src.t.Columns {
		src.fields = append(src.fields, c.Field)
		if !c.Virtual {
			src.exprs = append(src.exprs, expr.NewColumn(at, c.Field).At(c.Span))
			at++
			continue
		}
		p := &place{b: src.b, scope: physical, clause: "a generated column", computed: computed}
		n := p.expr(definitions[c.Field.Name].Generated)
		if n != nil && !arrow.TypeEqual(n.Type, c.Field.Type) {
			n = p.castField(n, c.Field, false, n.Span)
		}
		ok = ok && n != nil
		src.exprs = append(src.exprs, n)
	}
	if !ok {
		return false
	}
	src.visible = &scope{}
	for i, f := range src.fields {
		f.Nullable = src.exprs[i].Nullable
		src.visible.columns = append(src.visible.columns, scopeColumn{table: src.t.Name, field: f, index: i})
	}
	return true
}

// mark is how a table's watermark is made.
type mark struct {
	expr  *expr.Node
	delay int64
}

// times finds the column of the event time, nil if the connector's stands, and the watermark.
func (src *source) times(o timeOptions, s *ast.CreateTable) (*expr.Node, mark, bool) {
	if len(s.Watermarks) == 0 {
		return src.optionTimes(o)
	}
	w := s.Watermarks[0]
	c := src.timeColumn(w.Column)
	if c == nil {
		return nil, mark{}, false
	}
	if w.As == nil {
		return c, mark{}, true
	}
	n := (&place{b: src.b, scope: src.visible, clause: "WATERMARK FOR"}).expr(w.As)
	if n == nil {
		return nil, mark{}, false
	}
	m, ok := src.watermark(n, c, w.As.Span())
	return c, m, ok
}

// optionTimes is for the older options event_time_field and watermark_field.
func (src *source) optionTimes(o timeOptions) (*expr.Node, mark, bool) {
	m, ok := mark{delay: defaultDelay}, true
	var c *expr.Node
	if o.hasEventTime {
		if c = src.timeColumn(o.eventTime); c == nil {
			return nil, m, false
		}
	}
	if o.hasWatermark {
		n := src.timeColumn(o.watermark)
		if n == nil {
			return nil, m, false
		}
		m, ok = src.watermark(n, c, o.watermark.Span())
	}
	return c, m, ok
}

// timeColumn finds a TIMESTAMP column by name.
func (src *source) timeColumn(id ast.Ident) *expr.Node {
	found := pick(src.visible.columns, id)
	if len(found) == 0 {
		hintNearest(src.b.errorf(CodeUnknownColumn, id.Span(), "there is no column %q", id.Name), id.Name, src.visible.columns)
		return nil
	}
	c := found[0]
	if c.field.Type.ID() != arrow.TIMESTAMP {
		src.b.errorf(expr.CodeTypeMismatch, id.Span(), "the event time must be a TIMESTAMP, and %q is %s", c.field.Name, typeOf(c.field)).
			WithHint("declare it as TIMESTAMP, or add a column: ts TIMESTAMP GENERATED ALWAYS AS (CAST(%s AS TIMESTAMP))", c.field.Name)
		return nil
	}
	return expr.NewColumn(c.index, c.field).At(id.Span())
}

// watermark checks a watermark expression. One that only looks at the event time column needs no column: a fixed delay
// stays a number, and everything else reads the row's time.
func (src *source) watermark(n, eventTime *expr.Node, span fault.Span) (mark, bool) {
	if n.Type.ID() != arrow.TIMESTAMP {
		src.b.errorf(expr.CodeTypeMismatch, span, "a watermark must be a TIMESTAMP, not %s", expr.TypeName(n.Type)).
			WithHint("write WATERMARK FOR ts AS ts - INTERVAL '5 seconds'")
		return mark{}, false
	}
	if n.Nullable && n.Kind != expr.Column {
		src.b.errorf(CodeTable, span, "the watermark expression may be null").
			WithHint("declare the columns in it NOT NULL, or wrap them in coalesce")
		return mark{}, false
	}
	n, err := expr.CastTo(n, expr.Timestamp, false, span)
	if err != nil {
		src.b.report(err, span)
		return mark{}, false
	}
	if eventTime != nil && arrow.TypeEqual(eventTime.Type, expr.Timestamp) {
		n = n.Map(func(x *expr.Node) *expr.Node {
			if x.Kind == expr.Column && x.Index == eventTime.Index {
				return &expr.Node{Kind: expr.RowTime, Name: "row_time", Type: expr.Timestamp, Span: x.Span}
			}
			return x
		})
	}
	if d, ok := fixedDelay(n); ok {
		return mark{delay: d}, true
	}
	return mark{expr: n}, true
}

// fixedDelay recognises the row's time and the row's time minus an interval of fixed length.
func fixedDelay(n *expr.Node) (int64, bool) {
	if n.Kind == expr.RowTime {
		return 0, true
	}
	if n.Kind != expr.Call || n.Name != "subtract" || n.Args[0].Kind != expr.RowTime {
		return 0, false
	}
	arg := expr.Fold(n.Args[1])
	v, ok := arg.Value.(arrow.MonthDayNanoInterval)
	const day, most = int64(24 * time.Hour), int64(100 * 365 * 24 * time.Hour)
	if !ok || v.Months != 0 || v.Days < 0 || v.Nanoseconds < 0 || int64(v.Days) > most/day || v.Nanoseconds > most {
		return 0, false
	}
	return int64(v.Days)*day + v.Nanoseconds, true
}
