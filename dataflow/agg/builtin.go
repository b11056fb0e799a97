package agg

// builtins declares the aggregates: names, documentation and how they resolve and compile.
func builtins() []*function {
	var all []*function
	for _, group := range [][]*function{basics(), logicals(), collections(), ranks(), moments(), estimates()} {
		all = append(all, group...)
	}
	return all
}

func basics() []*function {
	return []*function{
		{name: "count", doc: "the number of rows, or of rows in which no argument is null", takes: "any arguments, or *",
			example: Example{Call: "count(x)", X: "1 null 3", Result: "2"},
			args:    variadic, resolve: resolveCount, compile: compileCount},
		{name: "sum", doc: "the sum of the values that are not null", takes: "one number or INTERVAL",
			example: Example{Call: "sum(DISTINCT x)", X: "1 2 2", Result: "3"},
			args:    1, resolve: resolveSum, compile: compileSum},
		{name: "avg", aliases: []string{"mean"}, doc: "the mean of the values that are not null", takes: "one number or INTERVAL",
			example: Example{Call: "avg(x)", X: "1 2 null", Result: "1.5"},
			args:    1, resolve: resolveAvg, compile: compileAvg},
		{name: "min", doc: "the least value that is not null", takes: "one value of a type that has an order", plain: true,
			example: Example{Call: "min(x)", X: "b a", Result: "a"},
			args:    1, resolve: resolveExtreme, compile: compileMin},
		{name: "max", doc: "the greatest value that is not null", takes: "one value of a type that has an order", plain: true,
			example: Example{Call: "max(x)", X: "1.5 2.5", Result: "2.5"},
			args:    1, resolve: resolveExtreme, compile: compileMax},
	}
}

func logicals() []*function {
	return []*function{
		{name: "bit_and", doc: "the bits that are set in all values", takes: "one integer", plain: true,
			example: Example{Call: "bit_and(x)", X: "6 3", Result: "2"},
			args:    1, resolve: resolveBits, compile: compileBitAnd},
		{name: "bit_or", doc: "the bits that are set in any value", takes: "one integer", plain: true,
			example: Example{Call: "bit_or(x)", X: "6 3", Result: "7"},
			args:    1, resolve: resolveBits, compile: compileBitOr},
		{name: "bit_xor", doc: "the bits that are set in an odd number of values", takes: "one integer",
			example: Example{Call: "bit_xor(x)", X: "6 3", Result: "5"},
			args:    1, resolve: resolveBits, compile: compileBitXor},
		{name: "bool_and", aliases: []string{"every"}, doc: "whether all values that are not null are true", takes: "one BOOLEAN",
			plain: true, example: Example{Call: "bool_and(x)", X: "true false", Result: "false"},
			args: 1, resolve: resolveBool, compile: compileBoolAnd},
		{name: "bool_or", doc: "whether any value is true", takes: "one BOOLEAN", plain: true,
			example: Example{Call: "bool_or(x)", X: "true false", Result: "true"},
			args:    1, resolve: resolveBool, compile: compileBoolOr},
	}
}

// Of the order of rows where none is given see order.go.
func collections() []*function {
	return []*function{
		{name: "array_agg", doc: "all values, nulls too, as an array, in the order given or by event time", takes: "one value",
			example: Example{Call: "array_agg(x ORDER BY y DESC)", X: "a b", Y: "1 2", Result: "[b a]"},
			args:    1, resolve: resolveArray, compile: compileArray, ordered: true, knowsDistinct: true},
		{name: "string_agg", doc: "the values that are not null with a separator between them, in the order given or by event time",
			takes: "a value that has a text and a separator, which is a literal", example: Example{Call: "string_agg(x, '-')", X: "a b null", Result: "a-b"},
			args: 1, params: []param{textParam}, resolve: resolveString, compile: compileString, ordered: true, knowsDistinct: true},
		{name: "first_value", doc: "the value of the first row, in the order given or by event time", takes: "one value", plain: true,
			example: Example{Call: "first_value(x ORDER BY y)", X: "a b", Y: "2 1", Result: "b"},
			args:    1, resolve: resolveAny, compile: compileFirst, ordered: true},
		{name: "last_value", doc: "the value of the last row, in the order given or by event time", takes: "one value", plain: true,
			example: Example{Call: "last_value(x ORDER BY y)", X: "a b", Y: "2 1", Result: "a"},
			args:    1, resolve: resolveAny, compile: compileLast, ordered: true},
		{name: "nth_value", doc: "the value of the n-th row, in the order given or by event time; from the last row if n is negative",
			takes:   "a value and a position, which is a literal but not 0",
			example: Example{Call: "nth_value(x, 2)", X: "a b c", Result: "b"},
			args:    1, params: []param{positionParam}, resolve: resolveAny, compile: compileNth, ordered: true, knowsDistinct: true},
	}
}

func ranks() []*function {
	return []*function{
		{name: "median", doc: "the value in the middle, or the mean of the two there", takes: "one number",
			example: Example{Call: "median(x)", X: "1.0 7.0 2.0 3.0", Result: "2.5"},
			args:    1, resolve: resolveMedian, compile: compileMedian, knowsDistinct: true, within: true},
		{name: "percentile_cont", aliases: []string{"quantile_cont"}, doc: "the value below which a fraction of the values lies, between two values if need be",
			takes:   "a fraction from 0 to 1, a literal, and in WITHIN GROUP (ORDER BY x) a number",
			example: Example{Call: "percentile_cont(0.25) WITHIN GROUP (ORDER BY x)", X: "1 2 3 5", Result: "1.75"},
			args:    1, params: []param{fractionParam}, resolve: resolveDouble, compile: compilePercentileCont, knowsDistinct: true, within: true},
		{name: "percentile_disc", aliases: []string{"quantile_disc"}, doc: "the first value at or below which a fraction of the values lies",
			takes:   "a fraction from 0 to 1, a literal, and in WITHIN GROUP (ORDER BY x) a value of a type that has an order",
			example: Example{Call: "percentile_disc(0.5) WITHIN GROUP (ORDER BY x)", X: "a b c d", Result: "b"},
			args:    1, params: []param{fractionParam}, resolve: resolveExtreme, compile: compilePercentileDisc, knowsDistinct: true, within: true},
		{name: "mode", doc: "the value that occurs most often, the least of them if there are several", takes: "one value of a type that has an order",
			example: Example{Call: "mode() WITHIN GROUP (ORDER BY x)", X: "b a b", Result: "b"},
			args:    1, resolve: resolveExtreme, compile: compileMode, knowsDistinct: true, within: true},
	}
}

func moments() []*function {
	const two = "two numbers, the dependent one first"
	pair := func(name, doc, result string, f final, aliases ...string) *function {
		return &function{name: name, aliases: aliases, doc: doc, takes: two, args: 2, resolve: resolvePair,
			example: Example{Call: name + "(y, x)", X: "1 2 3", Y: "2 5 5", Result: result}, compile: compileMoments(f)}
	}
	single := func(name, doc, result string, f final, aliases ...string) *function {
		return &function{name: name, aliases: aliases, doc: doc, takes: "one number", args: 1, resolve: resolveDouble,
			example: Example{Call: name + "(x)", X: "1 3 5", Result: result}, compile: compileMoments(f)}
	}
	count := pair("regr_count", "the number of pairs without a null", "3", finalCount)
	count.resolve = resolvePairCount
	return []*function{
		single("stddev", "the standard deviation of the sample", "2", finalStddevSamp, "stddev_samp"),
		single("stddev_pop", "the standard deviation of the population", "1.632993161855452", finalStddevPop),
		single("var", "the variance of the sample", "4", finalVarSamp, "var_samp", "var_sample", "variance"),
		single("var_pop", "the variance of the population", "2.6666666666666665", finalVarPop, "var_population"),
		pair("corr", "the coefficient of correlation of pairs", "0.8660254037844386", finalCorr),
		pair("covar_samp", "the covariance of the sample of pairs", "1.5", finalCovarSamp, "covar"),
		pair("covar_pop", "the covariance of the population of pairs", "1", finalCovarPop),
		count,
		pair("regr_avgx", "the mean of the second number of pairs", "2", finalAvgX),
		pair("regr_avgy", "the mean of the first number of pairs", "4", finalAvgY),
		pair("regr_sxx", "the sum of squares of the second number around its mean", "2", finalSxx),
		pair("regr_syy", "the sum of squares of the first number around its mean", "6", finalSyy),
		pair("regr_sxy", "the sum of products of both numbers around their means", "3", finalSxy),
		pair("regr_slope", "the slope of the line with the least squares through the pairs", "1.5", finalSlope),
		pair("regr_intercept", "where the line with the least squares crosses x = 0", "1", finalIntercept),
		pair("regr_r2", "the square of the coefficient of correlation", "0.75", finalR2),
	}
}

func estimates() []*function {
	return []*function{
		{name: "approx_distinct", doc: "about how many distinct values there are, within 1 % most of the time", takes: "one value", plain: true,
			example: Example{Call: "approx_distinct(x)", X: "a b a", Result: "2"},
			args:    1, resolve: resolveApproxDistinct, compile: compileApproxDistinct},
		{name: "approx_median", doc: "about the median, within 0.05 % of the value", takes: "one number",
			example: Example{Call: "approx_median(x)", X: "1 2 9", Result: "2"},
			args:    1, resolve: resolveApproxRank, compile: compileApproxMedian, knowsDistinct: true, within: true},
		{name: "approx_percentile_cont", doc: "about the value below which a fraction of the values lies, within 0.05 % of the value",
			takes:   "a fraction from 0 to 1, a literal, and in WITHIN GROUP (ORDER BY x) a number",
			example: Example{Call: "approx_percentile_cont(0.75) WITHIN GROUP (ORDER BY x)", X: "1.0 2.0 4.0", Result: "3"},
			args:    1, params: []param{fractionParam, centroidsParam}, resolve: resolveApproxRank, compile: compileApproxPercentile,
			knowsDistinct: true, within: true},
		{name: "approx_percentile_cont_with_weight", doc: "like approx_percentile_cont, a value counting as often as its weight says",
			takes:   "a weight, a fraction from 0 to 1, a literal, and in WITHIN GROUP (ORDER BY x) a number",
			example: Example{Call: "approx_percentile_cont_with_weight(y, 0.5) WITHIN GROUP (ORDER BY x)", X: "1 2 3", Y: "1 1 10", Result: "3"},
			args:    2, params: []param{fractionParam, centroidsParam}, resolve: resolveWeighted, compile: compileApproxPercentile,
			knowsDistinct: true, within: true},
	}
}
