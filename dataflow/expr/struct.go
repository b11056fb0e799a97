package expr

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

const categoryNested = "structs and maps"

// structFunctions declares the functions that make structs and take them apart.
func structFunctions() []*function {
	return []*function{
		{
			name: "named_struct", category: categoryNested, doc: "The struct of these members: names, which are constants, and values in turn.",
			example: "named_struct('a', 1, 'b', 'x')", result: "{a: 1, b: x}", takes: "named_struct(TEXT constant, any, …)", callsNull: true,
			neverNull: true, bind: bindNamedStruct, make: func(n *Node) kernel { return structKernel(n, 1, 2) },
		},
		{
			name: "struct", aliases: []string{"row"}, category: categoryNested, doc: "The struct of these members, which are called c0, c1, …",
			example: "struct(1, 'x')", result: "{c0: 1, c1: x}", takes: "struct(any, …)", callsNull: true, neverNull: true,
			bind: bindStruct, make: func(n *Node) kernel { return structKernel(n, 0, 1) },
		},
		{
			name: "get_field", category: categoryNested, doc: "The member of this name, a constant; of a map, the value of this key. Written x.name.",
			example: "get_field(named_struct('a', 1), 'a')", result: "1", takes: "get_field(STRUCT, TEXT constant)", callsNull: true, mayNull: true,
			instead: func(args []*Node) string {
				if len(args) > 0 && isMap(args[0].Type) {
					return "array_element"
				}
				return ""
			},
			bind: bindGetField, expand: func(n *Node) *Node {
				f, err := FieldOf(n.Args[0], n.Args[1].Value.(string), n.Span)
				if err != nil {
					panic("expr: a member of a struct is gone")
				}
				return f
			},
		},
	}
}

// memberOf is the field that an argument makes. Members may be null in every struct, so that structs made of different
// arguments have one type.
func memberOf(name string, a *Node) (arrow.Field, *Node) {
	if isNull(a.Type) {
		a = NewLiteral(typeText, nil).At(a.Span)
	}
	return arrow.Field{Name: name, Type: a.Type, Nullable: true}, a
}

func bindNamedStruct(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return nil, nil, s.mismatch(args)
	}
	out := append([]*Node{}, args...)
	var fields []arrow.Field
	for i := 0; i < len(args); i += 2 {
		name, ok := args[i].Value.(string)
		if args[i].Kind != Literal || !ok {
			return nil, nil, fault.Userf(CodeTypeMismatch, args[i].Span.Join(s.span), "%s: the names of members are text constants", s.name).
				WithHint("for example named_struct('a', x, 'b', y)")
		}
		var f arrow.Field
		f, out[i+1] = memberOf(name, args[i+1])
		for _, g := range fields {
			if g.Name == name {
				return nil, nil, fault.Userf(CodeTypeMismatch, args[i].Span.Join(s.span), "the struct has two members %q", name).
					WithHint("give every member a name of its own")
			}
		}
		fields = append(fields, f)
	}
	return out, arrow.StructOf(fields...), nil
}

func bindStruct(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) == 0 {
		return nil, nil, s.mismatch(args)
	}
	out := make([]*Node, len(args))
	fields := make([]arrow.Field, len(args))
	for i, a := range args {
		fields[i], out[i] = memberOf("c"+strconv.Itoa(i), a)
	}
	return out, arrow.StructOf(fields...), nil
}

// structKernel makes structs of the arguments first, first+every and so on; they share the arguments' memory.
func structKernel(n *Node, first, every int) kernel {
	dt := n.Type.(*arrow.StructType)
	out := &column.Struct{DataType: dt, Children: make([]column.Appender, dt.NumFields())}
	full := make([]materialiser, dt.NumFields())
	return func(c *call) (column.Vector, error) {
		out.N = c.n
		for m := range out.Children {
			v := c.args[first+m*every]
			if k, ok := v.(*column.Const); ok {
				v = full[m].fill(&column.Const{Value: k.Value, N: c.n})
			}
			out.Children[m] = v.(column.Appender)
		}
		return out, nil
	}
}

func bindGetField(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	name, ok := args[1].Value.(string)
	if args[1].Kind != Literal || !ok || args[0].Type.ID() != arrow.STRUCT {
		return nil, nil, s.mismatch(args)
	}
	f, err := FieldOf(args[0], name, s.span)
	if err != nil {
		return nil, nil, err
	}
	return args, f.Type, nil
}
