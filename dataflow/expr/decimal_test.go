package expr_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
)

// decimals draws numbers of up to so many digits, many of them near a boundary; what stands behind a null is anything.
func decimals(r *rand.Rand, precision int32, n int) *column.Fixed[decimal128.Num] {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	c := column.NewFixed[decimal128.Num](&arrow.Decimal128Type{Precision: precision})
	for i := range n {
		v := new(big.Int)
		switch r.IntN(6) {
		case 0:
			v.Sub(limit, big.NewInt(1+r.Int64N(3)))
		case 1:
			v.SetInt64(math.MaxInt64 - r.Int64N(2))
		case 2:
			v.Lsh(big.NewInt(1), uint(r.IntN(127)))
		default:
			v.SetUint64(r.Uint64() >> r.IntN(64))
		}
		v.Rem(v, limit)
		if r.IntN(2) == 0 {
			v.Neg(v)
		}
		if c.Append(decimal128.FromBigInt(v)); r.IntN(10) == 0 {
			c.Truncate(i)
			c.AppendNull()
			c.Values[i] = decimal128.New(r.Int64(), r.Uint64())
		}
	}
	return c
}

// Arithmetic on whole columns of decimals gives what integers without a limit give, and fails where those have too many
// digits, whatever the rows that do not count hold.
func TestDecimalColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	ops := map[string]func(x, y *big.Int) *big.Int{
		"x + y":                    func(x, y *big.Int) *big.Int { return x.Add(x, y) },
		"x - y":                    func(x, y *big.Int) *big.Int { return x.Sub(x, y) },
		"x * y":                    func(x, y *big.Int) *big.Int { return x.Mul(x, y) },
		"x * 7":                    func(x, _ *big.Int) *big.Int { return x.Mul(x, big.NewInt(7)) },
		"-9223372036854775807 * x": func(x, _ *big.Int) *big.Int { return x.Mul(x, big.NewInt(-math.MaxInt64)) },
		"x * 0":                    func(x, _ *big.Int) *big.Int { return x.SetInt64(0) },
		"CAST(x AS DECIMAL(38, 6))": func(x, _ *big.Int) *big.Int {
			return x.Mul(x, big.NewInt(1_000_000))
		},
		"CAST(x AS DECIMAL(20, 0))": func(x, _ *big.Int) *big.Int { return x },
	}
	failures, successes := 0, 0
	for round := range 3000 {
		n := 1 + r.IntN(9)
		px, py := 1+r.Int32N(38), 1+r.Int32N(38)
		x, y := decimals(r, px, n), decimals(r, py, n)
		schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: x.DataType, Nullable: true}, {Name: "y", Type: y.DataType, Nullable: true}}, nil)
		batch := &column.Batch{Schema: schema, N: n, Cols: []column.Vector{x, y}, Time: make([]int64, n)}
		if r.IntN(3) == 0 {
			batch.Sel = []int32{}
			for i := range int32(n) {
				if r.IntN(2) == 0 {
					batch.Sel = append(batch.Sel, i)
				}
			}
		}
		for text, op := range ops {
			node := mustParse(t, schema, text)
			e, err := expr.Compile([]*expr.Node{node}, schema, expr.Builtin())
			if err != nil {
				t.Fatal(err)
			}
			result := node.Type.(*arrow.Decimal128Type)
			cols, err := e.Eval(batch)
			wrong, overflows := "", false
			for _, i := range batch.Selected(nil) {
				null := !x.Valid.IsValid(int(i)) || strings.Contains(text, "y") && !y.Valid.IsValid(int(i))
				if !null {
					want := op(x.Values[i].BigInt(), y.Values[i].BigInt())
					overflows = overflows || len(new(big.Int).Abs(want).String()) > int(result.Precision)
					if err == nil && cols[0].(*column.Fixed[decimal128.Num]).Values[i].BigInt().Cmp(want) != 0 {
						wrong = fmt.Sprintf("row %d is not %v", i, want)
					}
				}
				if err == nil && cols[0].Validity().IsValid(int(i)) == null {
					wrong = fmt.Sprintf("row %d: null is %v", i, null)
				}
			}
			if (err != nil) != overflows || wrong != "" && !overflows {
				t.Fatalf("round %d, %s of %d and %d digits: error %v, overflow %v, %s", round, text, px, py, err, overflows, wrong)
			}
			if overflows {
				failures++
			} else {
				successes++
			}
		}
	}
	if failures < 1000 || successes < 1000 {
		t.Errorf("%d failures and %d successes", failures, successes)
	}
}
