package connector

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"wadi/dataflow/fault"
)

// Codes of the faults that Resolve and UseOf give.
const (
	CodeUnknownOption fault.Code = "unknown-option"
	CodeMissingOption fault.Code = "missing-option"
	CodeOptionType    fault.Code = "option-type"
	CodeOptionValue   fault.Code = "option-value"
	CodeNoSuchUse     fault.Code = "connector-use"
)

// String names a use as the option "type" does; several are joined by "|".
func (u Use) String() string {
	var names []string
	for _, n := range []struct {
		use  Use
		name string
	}{{Source, "source"}, {Sink, "sink"}, {Lookup, "lookup"}} {
		if u&n.use != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, "|")
}

// UseOf tells what a table is for: what its option "type" says, or else the only thing that the connector can be. The
// fault's span is the option's, or zero where the caller has to add the place of the table.
func (d *Declaration) UseOf(raw map[string]Raw) (Use, error) {
	r, given := raw["type"]
	if !given {
		if d.Uses == Source || d.Uses == Sink || d.Uses == Lookup {
			return d.Uses, nil
		}
		for _, name := range slices.Sorted(maps.Keys(raw)) {
			if fault.Nearest(name, []string{"type"}) != "" && !slices.ContainsFunc(d.Options, func(o Option) bool { return o.Name == name }) {
				return 0, fault.Userf(CodeUnknownOption, raw[name].place(), "unknown option for connector %q: '%s'", d.Name, name).
					WithHint("did you mean 'type'?")
			}
		}
		return 0, fault.Userf(CodeMissingOption, fault.Span{}, "connector %q needs the option \"type\"", d.Name).
			WithHint("add type = '%s'", strings.ReplaceAll(d.Uses.String(), "|", "' or type = '"))
	}
	for _, u := range []Use{Source, Sink, Lookup} {
		if r.Kind != RawString || r.Text != u.String() {
			continue
		}
		if d.Uses&u == 0 {
			return 0, fault.Userf(CodeNoSuchUse, r.Span, "connector %q cannot be a %s", d.Name, u).
				WithHint("it can be: %s", strings.ReplaceAll(d.Uses.String(), "|", ", "))
		}
		return u, nil
	}
	return 0, fault.Userf(CodeOptionValue, r.Span, "option \"type\" is none of 'source', 'sink', 'lookup'").
		WithHint("connector %q can be: %s", d.Name, strings.ReplaceAll(d.Uses.String(), "|", ", "))
}

// Resolve checks the options of one table against the declaration and gives them as canonical text (see OptionType),
// defaults filled in. raw holds what is left of the WITH clause once the planner has taken its own options (connector,
// format, bad_data, …). All faults found are reported together; those about an option that is there have its place,
// the others a zero span, to which the caller adds the place of the table.
func (d *Declaration) Resolve(use Use, raw map[string]Raw) (map[string]string, error) {
	if d.Uses&use == 0 {
		return nil, fault.Userf(CodeNoSuchUse, fault.Span{}, "connector %q cannot be a %s", d.Name, use).
			WithHint("it can be: %s", strings.ReplaceAll(d.Uses.String(), "|", ", "))
	}
	out := map[string]string{}
	var faults fault.List
	for i := range d.Options {
		o := &d.Options[i]
		if o.For != 0 && o.For&use == 0 {
			continue
		}
		r, given := raw[o.Name]
		value, err := o.resolve(d, r, given)
		if err != nil {
			faults = append(faults, err)
		} else if value != nil {
			out[o.Name] = *value
		}
	}
	if f := d.leftovers(use, raw); f != nil {
		faults = append(faults, f)
	}
	if len(faults) == 0 && d.Validate != nil {
		if err := d.Validate(use, out); err != nil {
			return nil, err
		}
	}
	switch len(faults) {
	case 0:
		return out, nil
	case 1:
		return nil, faults[0]
	}
	return nil, faults
}

// CheckOption checks the value of one option, as a connection profile has it.
func (d *Declaration) CheckOption(name string, r Raw) error {
	var known []string
	for i := range d.Options {
		o := &d.Options[i]
		if o.Name == name {
			if _, err := o.resolve(d, r, true); err != nil {
				return err
			}
			return nil
		}
		known = append(known, o.Name)
	}
	f := fault.Userf(CodeUnknownOption, r.place(), "unknown option for connector %q: '%s'", d.Name, name)
	f.Hint = d.unknownHint(d.Uses, []string{name}, known, nil)
	return f
}

// resolve gives the canonical value of one option, nil when it is absent and has no default.
func (o *Option) resolve(d *Declaration, r Raw, given bool) (*string, *fault.Error) {
	if !given {
		if o.Required {
			return nil, fault.Userf(CodeMissingOption, fault.Span{}, "connector %q needs the option %q", d.Name, o.Name).
				WithHint("add %s = …: %s", o.Name, o.Doc)
		}
		if o.Default == "" {
			return nil, nil
		}
		return &o.Default, nil
	}
	value, err := coerce(o, r)
	if err != nil {
		return nil, err
	}
	if len(o.Values) > 0 && !contains(o.Values, value) {
		f := fault.Userf(CodeOptionValue, r.Span, "option %q is none of '%s'", o.Name, strings.Join(o.Values, "', '"))
		if near := fault.Nearest(value, o.Values); near != "" {
			f.Hint = "did you mean '" + near + "'?"
		}
		return nil, f
	}
	if o.Check != nil {
		if err := o.Check(value); err != nil {
			f := *fault.As(err)
			f.Kind, f.Span = fault.User, r.Span
			return nil, &f
		}
	}
	return &value, nil
}

// leftovers names every option that nobody has asked for, in one fault.
func (d *Declaration) leftovers(use Use, raw map[string]Raw) *fault.Error {
	var known, elsewhere, unknown []string
	for i := range d.Options {
		if o := &d.Options[i]; o.For == 0 || o.For&use != 0 {
			known = append(known, o.Name)
		} else {
			elsewhere = append(elsewhere, o.Name)
		}
	}
	for name := range raw {
		if !contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	sort.Slice(unknown, func(i, j int) bool {
		a, b := raw[unknown[i]].place(), raw[unknown[j]].place()
		if a.Start != b.Start {
			return a.Start < b.Start
		}
		return unknown[i] < unknown[j]
	})
	word := "option"
	if len(unknown) > 1 {
		word = "options"
	}
	f := fault.Userf(CodeUnknownOption, raw[unknown[0]].place(), "unknown %s for connector %q: '%s'",
		word, d.Name, strings.Join(unknown, "', '"))
	f.Hint = d.unknownHint(use, unknown, known, elsewhere)
	return f
}

func (d *Declaration) unknownHint(use Use, unknown, known, elsewhere []string) string {
	for _, name := range unknown {
		if near := fault.Nearest(name, known); near != "" {
			return "did you mean '" + near + "'?"
		}
		if contains(elsewhere, name) {
			return "'" + name + "' does not apply to a " + use.String()
		}
	}
	if len(known) == 0 {
		return "a " + use.String() + " of this connector has no options of its own"
	}
	return "the options are: " + strings.Join(known, ", ")
}

// place is where an unknown option is shown: its name if the binder knows it, else its value.
func (r Raw) place() fault.Span { return r.Key.Join(r.Span) }

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Description is the line about a table of this connector in plans.
func (d *Declaration) Description(options map[string]string) string {
	if d.Describe == nil {
		return d.Name
	}
	return d.Describe(options)
}
