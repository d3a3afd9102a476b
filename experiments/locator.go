package experiments

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Locator says which element of a page is meant, as a person or a screen reader would: by role and name, by label, by
// text; else by test id or CSS selector. A name, label or text means the elements that are called exactly so, in any
// case; where there are none, those that contain it.
type Locator struct {
	Role   string   `yaml:"role" json:"role,omitempty" doc:"role, such as button, link, textbox, heading, status"`
	Name   Template `yaml:"name" json:"name,omitzero" doc:"accessible name, beside role" env:"always"`
	Label  Template `yaml:"label" json:"label,omitzero" doc:"label of a form field" env:"always"`
	Text   Template `yaml:"text" json:"text,omitzero" doc:"visible text" env:"always"`
	TestID Template `yaml:"test_id" json:"test_id,omitzero" doc:"data-testid" env:"always"`
	CSS    Template `yaml:"css" json:"css,omitzero" doc:"CSS selector" env:"always"`
}

// Check wants exactly one way to find something.
func (l *Locator) Check() error {
	ways := 0
	for _, given := range []bool{l.Role != "", !l.Label.IsZero(), !l.Text.IsZero(), !l.TestID.IsZero(), !l.CSS.IsZero()} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return errors.New("an element is found by exactly one of role (with name), label, text, test_id, css")
	case l.Role == "" && !l.Name.IsZero():
		return errors.New("a name goes with a role")
	}
	return nil
}

// Found is a locator with its values filled in.
type Found struct {
	Role   string `json:"role,omitempty"`
	Name   string `json:"name,omitempty"`
	Label  string `json:"label,omitempty"`
	Text   string `json:"text,omitempty"`
	TestID string `json:"test_id,omitempty"`
	CSS    string `json:"css,omitempty"`
}

// Expand fills in the values.
func (l *Locator) Expand(vars Vars) (Found, error) {
	f := Found{Role: l.Role}
	for _, part := range []struct {
		from Template
		to   *string
	}{{l.Name, &f.Name}, {l.Label, &f.Label}, {l.Text, &f.Text}, {l.TestID, &f.TestID}, {l.CSS, &f.CSS}} {
		text, err := part.from.Expand(vars)
		if err != nil {
			return f, err
		}
		*part.to = strings.TrimSpace(text)
	}
	if f.Label+f.Text+f.TestID+f.CSS+f.Role == "" {
		return f, errors.New("the element has no name to find it by")
	}
	return f, nil
}

// String says in words what is meant.
func (f Found) String() string {
	switch {
	case f.Role != "" && f.Name != "":
		return fmt.Sprintf("%s %q", f.Role, f.Name)
	case f.Role != "":
		return f.Role
	case f.Label != "":
		return fmt.Sprintf("field %q", f.Label)
	case f.Text != "":
		return fmt.Sprintf("text %q", f.Text)
	case f.TestID != "":
		return fmt.Sprintf("test id %q", f.TestID)
	}
	return f.CSS
}

// Wait is a duration, or an element that has to be in sight.
type Wait struct {
	Time time.Duration
	For  *Locator
}

// IsZero reports whether nothing was written.
func (w Wait) IsZero() bool { return w.Time == 0 && w.For == nil }
