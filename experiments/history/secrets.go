package history

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// shortest is the length from which a value is taken for a secret: a shorter one would blot out ordinary words.
const shortest = 8

// form is one way to write one secret.
type form struct {
	name  string
	plain string // as the text itself has it
	json  []byte // as a JSON string has it
}

// newRedactor takes values by name. Of an address with a password in it the password alone is a secret too.
func newRedactor(secrets map[string]string) redactor {
	var r redactor
	for name, value := range secrets {
		r.add(name, value)
		if u, err := url.Parse(value); err == nil && u.User != nil {
			password, _ := u.User.Password()
			r.add(name, password)
		}
	}
	// The longest first, so that a secret within another does not leave the rest of the other standing.
	slices.SortFunc(r.forms, func(a, b form) int {
		if n := len(b.plain) - len(a.plain); n != 0 {
			return n
		}
		return strings.Compare(a.name+a.plain, b.name+b.plain)
	})
	r.forms = slices.CompactFunc(r.forms, func(a, b form) bool { return a.plain == b.plain && a.name == b.name })
	return r
}

func (r *redactor) add(name, value string) {
	if !secretive(name, value) {
		return
	}
	for _, plain := range spellings(value) {
		if len(plain) < shortest {
			continue
		}
		r.forms = append(r.forms, form{name: name, plain: plain, json: []byte(quoted(plain))})
	}
}

var (
	telling = regexp.MustCompile(`(?i)pass|secret|token|key|credential|pwd`)
	// ordinary values: words, the name or the mail address of a person, a host with or without a port, a date or a time.
	// They stand in honest answers.
	ordinary = regexp.MustCompile(`^(?:[A-Z]?[a-z]+(?:[ _.-][A-Z]?[a-z]+)*|[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}|[A-Z_]+|[A-Za-z0-9.-]+:\d{1,5}|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}|[0-9TZ:.,+ -]+)$`)
)

// secretive reports whether a value is worth hiding. What a person calls a password is, whatever it looks like.
func secretive(name, value string) bool {
	return len(value) >= shortest && (telling.MatchString(name) || !ordinary.MatchString(value))
}

// spellings are the forms in which a product may give a secret away: as it is, in a URL, in JSON, in HTML, and in base64
// alone or within more, which is how Basic authentication has it. Others cannot be known.
func spellings(value string) []string {
	all := []string{value, url.QueryEscape(value), url.PathEscape(value), quoted(value), html.EscapeString(value)}
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			all = append(all, within(alphabet, value, before))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// within is the part of a base64 text that a secret alone decides, when so many bytes (modulo 3) stand before it.
func within(alphabet *base64.Encoding, value string, before int) string {
	code := alphabet.EncodeToString([]byte(strings.Repeat("\x00", before) + value))
	code = code[(before*8+5)/6:]
	if rest := (before + len(value)) % 3; rest != 0 {
		code = code[:len(code)-1] // its last letter also holds bits of what follows
	}
	return code
}

// quoted is a text as JSON has it between quotes.
func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		return text // a Go string always becomes JSON
	}
	return string(data[1 : len(data)-1])
}
