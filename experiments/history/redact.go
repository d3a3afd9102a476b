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
	if rec.Page != nil {
		rec.Page = r.page(*rec.Page)
	}
	if rec.Exchange == nil {
		return rec
	}
	x := *rec.Exchange
	for _, hit := range r.hits(x.Body.Text) {
		x.Hits = met(x.Hits, strings.TrimPrefix(hit.Pattern, secretHit), int(hit.Offset))
	}
	for _, f := range r.forms {
		if inHeaders(x.Headers, f.plain) {
			x.Hits = met(x.Hits, f.name, 0)
		}
	}
	rec.Exchange = &x
	return rec
}

// page notes on the blocks of a sample which secrets they show.
func (r redactor) page(seen experiments.PageSeen) *experiments.PageSeen {
	seen.Born = slices.Clone(seen.Born)
	for i := range seen.Born {
		b := &seen.Born[i]
		for _, hit := range r.hits(b.Text + "\n" + b.Name + "\n" + b.Described) {
			b.Hits = met(b.Hits, strings.TrimPrefix(hit.Pattern, secretHit), int(hit.Offset))
		}
	}
	return &seen
}

// Inspect adds the search for the run's secrets to a search of answers, so that one is met, and named, also beyond what is
// kept of a body. next may be nil.
func (w *Writer) Inspect(next func(piece []byte) []experiments.PatternHit) func(piece []byte) []experiments.PatternHit {
	return func(piece []byte) []experiments.PatternHit {
		hits := w.secrets.hits(string(piece))
		if next != nil {
			hits = append(hits, next(piece)...)
		}
		return hits
	}
}

// hits are the secrets in a text, each once.
func (r redactor) hits(text string) []experiments.PatternHit {
	var hits []experiments.PatternHit
	for _, f := range r.forms {
		if at := strings.Index(text, f.plain); at >= 0 {
			hits = met(hits, f.name, at)
		}
	}
	return hits
}

// secretHit is what a hit's pattern begins with; the name of the secret follows.
const secretHit = "LK-06/secret:"

func met(hits []experiments.PatternHit, name string, at int) []experiments.PatternHit {
	hit := experiments.PatternHit{Pattern: secretHit + name, Offset: int64(at), Text: blot(name)}
	if slices.ContainsFunc(hits, func(h experiments.PatternHit) bool { return h.Pattern == hit.Pattern }) {
		return hits
	}
	return append(slices.Clip(hits), hit)
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
