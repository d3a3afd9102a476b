package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// redactor replaces secrets by their names before a line is written. Canaries are no secrets here: they are harmless, and
// shown.
type redactor struct {
	forms []form
}

// record notes on an exchange which secrets its answer gave away, before they are blotted out: the rule about leaked
// secrets needs to know. The caller's record stays as it is.
func (r redactor) record(rec experiments.Record) experiments.Record {
	if rec.Exchange == nil {
		return rec
	}
	x := *rec.Exchange
	for _, f := range r.forms {
		at := strings.Index(x.Body.Text, f.plain)
		if at < 0 && !inHeaders(x.Headers, f.plain) {
			continue
		}
		hit := experiments.PatternHit{Pattern: "LK-06/secret:" + f.name, Offset: int64(max(0, at)), Text: blot(f.name)}
		if !slices.ContainsFunc(x.Hits, func(h experiments.PatternHit) bool { return h.Pattern == hit.Pattern }) {
			x.Hits = append(slices.Clip(x.Hits), hit)
		}
	}
	rec.Exchange = &x
	return rec
}

func inHeaders(headers map[string][]string, text string) bool {
	for _, values := range headers {
		for _, v := range values {
			if strings.Contains(v, text) {
				return true
			}
		}
	}
	return false
}

// line blots secrets out of a finished line, wherever in the record a text holds them. Only texts change: a secret that
// happens to be the name of a field or a phase must not make the line unreadable.
func (r redactor) line(line []byte) ([]byte, error) {
	if !slices.ContainsFunc(r.forms, func(f form) bool { return bytes.Contains(line, f.json) }) {
		return line, nil
	}
	var own experiments.Record // a copy, so that nothing is changed that others hold
	if err := json.Unmarshal(line, &own); err != nil {
		return nil, fmt.Errorf("redact: %w", err)
	}
	r.blotOut(reflect.ValueOf(&own).Elem())
	return json.Marshal(own)
}

func (r redactor) text(text string) string {
	for _, f := range r.forms {
		text = strings.ReplaceAll(text, f.plain, blot(f.name))
	}
	return text
}

// blotOut replaces secrets in every text below a value. Words of candor's own have types of their own and stay.
func (r redactor) blotOut(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(r.text(v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			r.blotOut(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.blotOut(v.Index(i))
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				r.blotOut(field)
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(key))
			r.blotOut(value)
			v.SetMapIndex(key, value)
		}
	}
}

func blot(name string) string { return "[redacted:" + name + "]" }
