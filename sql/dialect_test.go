package sql_test

import (
	"strings"
	"testing"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql"
)

// The functions of Arroyo's dialect under all their names, by the sections of its documentation. Of every name array_x there
// is also list_x.
const (
	dialectScalars = `
		coalesce nullif nvl ifnull nvl2 greatest least arrow_cast arrow_typeof named_struct struct row get_field overlay union_extract union_tag version
		abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot degrees exp factorial floor gcd isnan iszero lcm ln log log10 log2 nanvl pi
		power pow radians random round signum sin sinh sqrt tan tanh trunc
		ascii bit_length btrim trim chr concat concat_ws contains ends_with levenshtein lower ltrim octet_length repeat replace rtrim split_part
		starts_with to_hex upper uuid character_length length char_length find_in_set initcap left lpad reverse right rpad strpos instr position
		substr substring substr_index substring_index translate
		regexp_count regexp_like regexp_match regexp_replace
		current_date today current_time date_bin date_part datepart date_trunc datetrunc from_unixtime make_date now current_timestamp to_char
		date_format to_date to_local_time to_unixtime to_timestamp to_timestamp_seconds to_timestamp_millis to_timestamp_micros to_timestamp_nanos
		encode decode digest md5 sha224 sha256 sha384 sha512
		array_any_value array_append array_push_back array_concat array_cat array_dims array_distance array_distinct array_element array_extract
		array_except array_has array_contains array_has_all array_has_any arrays_overlap array_intersect array_length array_max array_min array_ndims
		array_pop_back array_pop_front array_position array_indexof array_positions array_prepend array_push_front array_remove array_remove_all
		array_remove_n array_repeat array_replace array_replace_all array_replace_n array_resize array_reverse array_slice array_sort
		array_to_string array_join array_union cardinality empty array_empty flatten generate_series make_array make_list range string_to_array
		string_to_list map make_map map_extract element_at map_keys map_values
		json_get json_get_bool json_get_float json_get_int json_get_json json_get_str json_as_text json_contains json_length json_object_keys json_keys
		extract_json extract_json_string get_first_json_object
		multi_hash serialize_json_union ice_identity ice_hour ice_day ice_month ice_year ice_truncate ice_bucket`
	dialectAggregates = `
		approx_distinct approx_median approx_percentile_cont approx_percentile_cont_with_weight array_agg avg mean bit_and bit_or bit_xor bool_and
		bool_or corr count covar_pop covar_samp covar first_value grouping last_value max median min nth_value regr_avgx regr_avgy regr_count
		regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_samp stddev_pop string_agg sum var var_samp var_sample var_pop
		var_population percentile_cont percentile_disc mode`
)

func TestDialectHasAllNames(t *testing.T) {
	scalars, aggregates := expr.Builtin(), agg.Builtin()
	for name := range strings.FieldsSeq(dialectScalars) {
		names := []string{name, strings.ToUpper(name)}
		if rest, ok := strings.CutPrefix(name, "array_"); ok {
			names = append(names, "list_"+rest)
		}
		for _, n := range names {
			if !scalars.Has(n) || scalars.IsOperator(n) {
				t.Errorf("there is no function %s", n)
			}
		}
	}
	for name := range strings.FieldsSeq(dialectAggregates) {
		if !aggregates.Has(name) || !aggregates.Has(strings.ToUpper(name)) {
			t.Errorf("there is no aggregate %s", name)
		}
	}
	for _, name := range scalars.Names() {
		if scalars.Has(name) && !scalars.IsOperator(name) && aggregates.Has(name) {
			t.Errorf("%s is both a function and an aggregate", name)
		}
	}
}

// Every example of a function is a select item too, and calls with one argument more than a function takes, or with none,
// are refused with its signature.
func TestExamplesArePlanned(t *testing.T) {
	fs := expr.Builtin()
	for _, name := range fs.Names() {
		d, _ := fs.Doc(name)
		if problems := planOf("SELECT " + d.Example + " AS x FROM t"); len(problems) > 0 {
			t.Errorf("%s: %s: %v (%s)", name, d.Example, problems[0], problems[0].Hint)
		}
		if d.Operator != "" {
			continue
		}
		call := name + "('a', 'b', 'c', 'd', 'e', 'f', 'g', INTERVAL '1 day')"
		for _, p := range planOf("SELECT " + call + " AS x FROM t") {
			if !strings.Contains(p.Hint, "it takes") && p.Code == expr.CodeTypeMismatch {
				t.Errorf("%s: %v does not say what it takes: %s", call, p, p.Hint)
			}
		}
	}
}

func planOf(query string) []*fault.Error {
	_, problems := sql.Compile("CREATE TABLE t (a BIGINT) WITH (connector = 'single_file', path = 'x', type = 'source', format = 'json'); "+query, options())
	return problems
}
