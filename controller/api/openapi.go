package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
)

// openAPI answers with the OpenAPI document, made from the table of routes and the types of the shapes.
func (s *server) openAPI(w http.ResponseWriter, _ *http.Request) error {
	paths := map[string]map[string]any{}
	schemas := schemaSet{}
	for _, r := range s.routes() {
		if r.id == "" {
			continue
		}
		path := "/v1" + r.path
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.method)] = schemas.operation(r)
	}
	schemas.of(reflect.TypeOf(errorResponse{}))
	return ok(w, map[string]any{
		"openapi":    "3.0.3",
		"info":       map[string]any{"title": "Wadi REST API", "description": "Compatible with Arroyo's", "version": "1.0.0"},
		"servers":    []any{map[string]any{"url": "/api/"}},
		"paths":      paths,
		"components": map[string]any{"schemas": schemas},
	})
}

type errorResponse struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

// schemaSet is the named schemas of the document.
type schemaSet map[string]any

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

func (c schemaSet) operation(r route) map[string]any {
	op := map[string]any{"operationId": r.id, "summary": r.summary, "tags": []string{tag(r.path)}}
	parameters := []any{}
	for _, m := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		parameters = append(parameters, map[string]any{"name": m[1], "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
	}
	for _, q := range r.query {
		kind := "string"
		if q == "limit" {
			kind = "integer"
		}
		parameters = append(parameters, map[string]any{"name": q, "in": "query", "required": false, "schema": map[string]any{"type": kind}})
	}
	if len(parameters) > 0 {
		op["parameters"] = parameters
	}
	if r.body != nil {
		op["requestBody"] = map[string]any{"required": true, "content": content("application/json", c.of(reflect.TypeOf(r.body)))}
	}
	answer := map[string]any{"description": "OK"}
	if r.answer != nil {
		kind := "application/json"
		if r.stream {
			kind = "text/event-stream"
		}
		answer["content"] = content(kind, c.of(reflect.TypeOf(r.answer)))
	}
	op["responses"] = map[string]any{"200": answer, "default": map[string]any{
		"description": "An error", "content": content("application/json", map[string]any{"$ref": "#/components/schemas/ErrorResponse"}),
	}}
	return op
}

func tag(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}

func content(kind string, schema any) map[string]any {
	return map[string]any{kind: map[string]any{"schema": schema}}
}

// of gives the schema of a type; structs become named schemas.
func (c schemaSet) of(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeOf(json.RawMessage{}):
		return map[string]any{"nullable": true}
	case t.Kind() == reflect.Pointer:
		s := c.of(t.Elem())
		if _, named := s["$ref"]; named {
			return map[string]any{"allOf": []any{s}, "nullable": true}
		}
		s["nullable"] = true
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		name := schemaName(t)
		if _, known := c[name]; !known {
			c[name] = nil // a type may hold itself
			c[name] = c.object(t)
		}
		return map[string]any{"$ref": "#/components/schemas/" + name}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": c.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": c.of(t.Elem())}
	case reflect.Interface:
		return map[string]any{"nullable": true}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number", "format": "double"}
	case reflect.String:
		return map[string]any{"type": "string"}
	}
	return map[string]any{"type": "integer", "format": "int64"}
}

func (c schemaSet) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		properties[name] = c.of(f.Type)
		if f.Type.Kind() != reflect.Pointer && options != "omitempty" {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

var typeArgument = regexp.MustCompile(`^(\w+)\[.*?(\w+)\]$`)

// schemaName is the exported name of a shape: "pipelineShape" → "Pipeline", "list[….jobShape]" → "JobList".
func schemaName(t reflect.Type) string {
	title := func(s string) string {
		s = strings.TrimSuffix(s, "Shape")
		return strings.ToUpper(s[:1]) + s[1:]
	}
	if m := typeArgument.FindStringSubmatch(t.Name()); m != nil {
		if m[1] == "paginated" {
			return title(m[2]) + "Page"
		}
		return title(m[2]) + "List"
	}
	return title(t.Name())
}
