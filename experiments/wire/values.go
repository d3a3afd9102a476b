package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

var errNotJSON = errors.New("not one JSON object or list")

// Vars is what expressions see of an answer, without its time.
func Vars(status int, header http.Header, body Body) experiments.Vars {
	return experiments.Vars{
		"status":  int64(status),
		"headers": Headers(header),
		"body":    Printable(body.Seen),
		"json":    JSON(body),
	}
}

// Headers gives the first value of each header by its name in lower case.
func Headers(header http.Header) map[string]string {
	first := make(map[string]string, len(header))
	for name, values := range header {
		if len(values) > 0 {
			first[strings.ToLower(name)] = values[0]
		}
	}
	return first
}

// JSON is the value of a body, and an empty map when the body is not JSON or longer than what is seen of it. Whole
// numbers stay whole, so that an id reads back as it was written.
func JSON(body Body) any {
	empty := map[string]any{}
	if body.Text.Length > int64(len(body.Seen)) || body.Text.Unread {
		return empty
	}
	value, err := Decode(body.Seen)
	if err != nil {
		return empty
	}
	return value
}

// Decode reads exactly one JSON object or list.
func Decode(body []byte) (any, error) {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil, errNotJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(trimmed))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errNotJSON
	}
	return numbers(value), nil
}

// numbers turns what the decoder left as text into numbers.
func numbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = numbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = numbers(inner)
		}
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		if real, err := v.Float64(); err == nil {
			return real
		}
		return v.String()
	}
	return value
}
