package honesty

import (
	"encoding/json"
	"mime"
	"strconv"
	"strings"
)

// document is the body of an answer as a program reads it: the members of a JSON object at the top.
type document struct {
	members map[string]json.RawMessage
	problem bool // application/problem+json
}

// isJSON and isHTML go by the declared type; one that is not declared is guessed by the first character.
func (a answer) isJSON() bool {
	kind := a.mediaType()
	if kind == "" {
		return strings.HasPrefix(strings.TrimSpace(a.Body.Text), "{")
	}
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

func (a answer) isHTML() bool {
	kind := a.mediaType()
	if kind == "" {
		return strings.HasPrefix(strings.TrimSpace(a.Body.Text), "<")
	}
	return kind == "text/html" || kind == "application/xhtml+xml"
}

// isPage reports whether an answer is a whole page: a script that asks for HTML gets a part of one.
func (a answer) isPage() bool {
	return a.isHTML() && (a.Kind == "" || a.Kind == "document")
}

func (a answer) mediaType() string {
	kind, _, err := mime.ParseMediaType(a.header("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// document reads the body; nil where it is no JSON object, or was cut.
func (a answer) document() *document {
	if !a.isJSON() || a.Body.Cut {
		return nil
	}
	d := &document{problem: a.mediaType() == "application/problem+json"}
	if json.Unmarshal([]byte(a.Body.Text), &d.members) != nil {
		return nil
	}
	return d
}

// text is a member that is a string.
func (d *document) text(name string) string {
	var text string
	_ = json.Unmarshal(d.members[name], &text) // another type is no text
	return text
}

// number is a member that is a whole number, also one in quotes.
func (d *document) number(name string) (int, bool) {
	n, err := strconv.Atoi(strings.Trim(string(d.members[name]), `" `))
	return n, err == nil
}

// filled reports whether a member says anything: null, false, "", 0, [] and {} do not.
func (d *document) filled(name string) bool {
	switch strings.Join(strings.Fields(string(d.members[name])), "") {
	case "", "null", "false", `""`, "0", "[]", "{}":
		return false
	}
	return true
}

// is reports whether a member is exactly a word of JSON, such as false.
func (d *document) is(name, value string) bool { return string(d.members[name]) == value }

// isProblem reports whether the document is one of RFC 9457: by its type, or by the members that only those have.
func (d *document) isProblem() bool {
	return d.problem || d.filled("title") && d.filled("type") && d.members["status"] != nil
}

// shortest field is what may be a state's word: longer text is prose.
const wordLength = 32

// refusals are the words of a state that say no.
var refusals = map[string]bool{"error": true, "failed": true, "failure": true, "fail": true, "rejected": true, "declined": true, "refused": true,
	"denied": true, "unavailable": true, "cancelled": true, "canceled": true, "aborted": true, "unsuccessful": true, "timeout": true, "timed_out": true, "down": true}

// successes are the words of a state that say yes.
var successes = map[string]bool{"ok": true, "success": true, "succeeded": true, "placed": true, "confirmed": true, "accepted": true, "completed": true,
	"complete": true, "done": true, "saved": true, "paid": true, "created": true, "ordered": true}

// lastWord is the word of a state: "payment_failed" says failed.
func lastWord(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '-' || r == '_' || r == '.' || r == ':' })
	if len(words) == 0 || len(text) > wordLength {
		return ""
	}
	return words[len(words)-1]
}

// failures names what in a document says that it failed, in order.
func (d *document) failures() (signs []string) {
	if d.isProblem() {
		signs = append(signs, "a problem document")
	}
	for _, name := range []string{"error", "errors"} {
		if d.filled(name) {
			signs = append(signs, name)
		}
	}
	for _, name := range []string{"success", "ok"} {
		if d.is(name, "false") {
			signs = append(signs, name+": false")
		}
	}
	for _, name := range sorted(d.members) {
		if word := lastWord(d.text(name)); name != "error" && refusals[word] {
			signs = append(signs, name+": "+word)
		}
	}
	return signs
}

// succeeds names what in a document says that all went well.
func (d *document) succeeds() string {
	for _, name := range []string{"success", "ok"} {
		if d.is(name, "true") {
			return name + ": true"
		}
	}
	for _, name := range []string{"status", "state", "result"} {
		if word := lastWord(d.text(name)); successes[word] {
			return name + ": " + word
		}
	}
	return ""
}
