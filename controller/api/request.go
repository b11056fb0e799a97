package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"wadi/storage/meta"
)

const (
	// maxBody bounds the body of a request; queries may be long.
	maxBody = 80 << 20
	// maxLimit bounds a page.
	maxLimit = 1000
)

// read decodes the body. Unknown fields are ignored, as Arroyo does. An absent body counts as {} if it may be empty.
func read(r *http.Request, into any, mayBeEmpty bool) error {
	b, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &status{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)}
	case err != nil:
		return badRequest("the body could not be read")
	case len(b) == 0 && mayBeEmpty:
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return &status{http.StatusUnsupportedMediaType, "Expected request with `Content-Type: application/json`"}
	}
	err = json.Unmarshal(b, into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return &status{http.StatusUnprocessableEntity, fmt.Sprintf("%s: expected %s, found %s", wrongType.Field, jsonName(wrongType), wrongType.Value)}
	case err != nil:
		return badRequest("the body is not JSON: " + err.Error())
	}
	return nil
}

// jsonName is what JSON calls the type that was expected.
func jsonName(e *json.UnmarshalTypeError) string {
	switch k := e.Type.Kind().String(); {
	case strings.HasPrefix(k, "int"), strings.HasPrefix(k, "uint"):
		return "an integer"
	case k == "slice":
		return "an array"
	case k == "map" || k == "struct":
		return "an object"
	default:
		return "a " + k
	}
}

// page reads limit and starting_after.
func page(r *http.Request) (meta.Page, error) {
	q := r.URL.Query()
	p := meta.Page{Limit: 10, After: q.Get("starting_after")}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			return p, badRequest(fmt.Sprintf("limit must be a number from 1 to %d", maxLimit))
		}
		p.Limit = n
	}
	return p, nil
}
