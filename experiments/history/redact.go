package history

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// shortest is the length from which a value is taken for a secret: a shorter one would blot out ordinary words.
const shortest = 8

// redactor replaces secrets by their names, in every form in which JSON may hold them. The forms with which a product
// might give a secret away (as it is, base64, URL-encoded) are known; others cannot be.
type redactor struct {
	forms []form
}

// form is one way to write one secret.
type form struct {
	name  string
	plain string // as the text itself has it
	json  []byte // as a JSON string has it
}

func newRedactor(secrets map[string]string) redactor {
	var r redactor
	for name, value := range secrets {
		if len(value) < shortest {
			continue
		}
		for _, plain := range []string{value, url.QueryEscape(value), url.PathEscape(value),
			base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value))} {
			quoted, err := json.Marshal(plain)
			if err != nil {
				continue // a Go string always becomes JSON
			}
			r.forms = append(r.forms, form{name: name, plain: plain, json: quoted[1 : len(quoted)-1]})
		}
	}
	// The longest first, so that a secret within another does not leave the rest of the other standing.
	slices.SortFunc(r.forms, func(a, b form) int {
		if n := len(b.plain) - len(a.plain); n != 0 {
			return n
		}
		return strings.Compare(a.name+a.plain, b.name+b.plain)
	})
	return r
}

// record notes on an exchange which secrets its answer gave away, before they are blotted out: the rule about leaked
// secrets needs to know.
func (r redactor) record(rec experiments.Record) experiments.Record {
	if rec.Exchange == nil {
		return rec
	}
	x := *rec.Exchange
	for _, f := range r.forms {
		offset := strings.Index(x.Body.Text, f.plain)
		if offset < 0 && !inHeaders(x.Headers, f.plain) {
			continue
		}
		hit := experiments.PatternHit{Pattern: "LK-06/secret:" + f.name, Offset: int64(max(0, offset)), Text: "[redacted:" + f.name + "]"}
		x.Hits = append(slices.Clip(x.Hits), hit)
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

// line blots secrets out of a finished line, wherever in the record they stood.
func (r redactor) line(line []byte) []byte {
	for _, f := range r.forms {
		if bytes.Contains(line, f.json) {
			line = bytes.ReplaceAll(line, f.json, []byte("[redacted:"+f.name+"]"))
		}
	}
	return line
}
