package experiments

import (
	"fmt"
	"strings"
)

// leastPassword is from which length on the recorder can keep a password out of the history: a shorter one would blot out
// ordinary words.
const leastPassword = 8

// visitorNames is what expressions can ask of a visitor.
func visitorNames(j *Journey) []string {
	if len(j.Visitors) == 0 {
		return []string{}
	}
	return []string{"name", "password"}
}

// checkVisitors wants of each one place for the login, and makes the short way to write it the long one.
func checkVisitors(j *Journey, s *source) {
	for i := range j.Visitors {
		v, at := &j.Visitors[i], index("visitors", i)
		switch {
		case v.Env != "" && !v.Login.IsZero():
			s.on(at+".env", "", `either "env" or "login"`)
		case v.Env == "" && v.Login.IsZero():
			s.on(at, "", `a visitor needs "env" or "login": where name:password is kept`)
		case v.Env != "" && !identifier.MatchString(v.Env):
			s.on(at+".env", "", "%q cannot be the name of an environment variable", v.Env)
		case v.Env != "":
			// The text stands after “{{ env.”, which is not in the file.
			v.Login = Template{Source: "{{ env." + v.Env + " }}", at: textPlace{source: s, path: at + ".env", pos: s.places[at+".env"]}.shift(-len("{{ "))}
		}
	}
}

// checkLookup wants steps that only look.
func checkLookup(j *Journey, s *source, names map[string]bool) {
	for i := range j.Lookup {
		step, at := &j.Lookup[i], index("lookup", i)
		setDefault(&step.Name, fmt.Sprintf("look-up %d", i+1))
		unique(s, names, "steps", step.Name, at)
		if step.Claims != nil {
			s.on(at+".claims", "", "a look-up has no intent and makes no claim")
		}
		if step.Action != nil && step.Action.Changes() {
			s.on(at, "", "a look-up only looks: this step changes something")
		}
	}
	if n := len(j.Lookup); n > 0 && j.Lookup[n-1].Expect.IsZero() {
		s.on(index("lookup", n-1), "", `the last look-up needs an "expect" that says whether what was done is there`)
	}
}

// logins reads who the visitors are. Their passwords are secrets of the run.
func (x *Exec) logins() error {
	x.Visitors = make([][]Login, len(x.Journeys))
	for i, j := range x.Journeys {
		seen := map[string]bool{}
		for n, v := range j.Visitors {
			text, err := v.Login.Expand(x.Vars)
			if err != nil {
				return fmt.Errorf("journey %s: visitor %d: %w", j.Name, n+1, err)
			}
			name, password, both := strings.Cut(text, ":")
			switch {
			case !both || name == "":
				return fmt.Errorf("journey %s: the login of visitor %d is not written name:password", j.Name, n+1)
			case len(password) < leastPassword:
				return fmt.Errorf("journey %s: the password of visitor %s has fewer than %d characters, and could not be kept out of what is recorded", j.Name, name, leastPassword)
			case seen[name]:
				return fmt.Errorf("journey %s: two visitors are called %s", j.Name, name)
			}
			seen[name] = true
			x.Visitors[i] = append(x.Visitors[i], Login{Name: name, Password: password})
		}
	}
	return nil
}
