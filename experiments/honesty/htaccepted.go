package honesty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

func orphanRule() Rule {
	info := experiments.RuleInfo{ID: "HT-04", Name: "202-orphan", Severity: experiments.S2, Level: "H/L",
		Doc:     "Accepted, and then nothing to follow.",
		Check:   "Violated when a 202 has neither Location nor Link nor an address in its body; or when the run later asked the address that it gave and never got an answer below 400; or when the last such answer says the opposite of what the truth shows. Exercised by each 202.",
		Guard:   "A step whose 202 gives nothing to follow in the baseline either is not judged. An address that no journey asks is not tried.",
		Source:  "RFC 9110 15.3.3.",
		Example: "POST /api/orders answers 202 with an empty body.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		monitors, orphans := e.readMonitors(), e.orphans()
		e.eachTroubled(func(_ int, a answer) {
			if a.Status != http.StatusAccepted || !a.answered() {
				return
			}
			address := a.monitor()
			reads := monitors[address]
			switch {
			case address == "" && orphans[a.step()]:
				s.idle(s.answer(a), "its 202 gives nothing to follow in the baseline either")
			case address == "" && a.Body.Cut:
				s.blind(s.answer(a), "a body was cut")
			case address == "":
				broken.add(s.answer(a), "nothing", fmt.Sprintf("A 202 of step %s gives nothing to follow: no Location, no Link, no address in its body.", quote(a.Step)), a)
			case len(reads) > 0 && !e.readable(reads):
				broken.add(s.answer(a), "unreadable", fmt.Sprintf("A 202 of step %s points at %s, which could not be read.", quote(a.Step), quote(address)), a, e.answers[reads[len(reads)-1]].seq)
			case len(reads) > 0 && e.denies(a, reads) != "":
				broken.add(s.answer(a), "denies", fmt.Sprintf("A 202 of step %s points at %s: %s.", quote(a.Step), quote(address), e.denies(a, reads)), a, e.answers[reads[len(reads)-1]].seq)
			default:
				s.pass(s.answer(a))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// address is what looks like one in a string of a body.
var address = regexp.MustCompile(`^(https?://\S+|/[A-Za-z0-9]\S*)$`)

// monitor is where a 202 says that its fate can be seen: path and query, empty where it says nothing.
func (a answer) monitor() string {
	for _, given := range []string{a.header("Location"), linked(a.header("Link")), a.addressInside()} {
		if given == "" {
			continue
		}
		base, err := url.Parse(a.URL)
		if err != nil {
			return given
		}
		if u, err := base.Parse(given); err == nil {
			return u.RequestURI()
		}
	}
	return ""
}

// linked is the first target of a Link header.
func linked(header string) string {
	_, rest, found := strings.Cut(header, "<")
	target, _, closed := strings.Cut(rest, ">")
	if !found || !closed {
		return ""
	}
	return target
}

// addressInside is the first address in a body, member by member or link by link.
func (a answer) addressInside() string {
	if a.isHTML() {
		if links := readPage(a.Body.Text).links; len(links) > 0 {
			return links[0]
		}
		return ""
	}
	if d := a.document(); d != nil {
		for _, name := range sorted(d.members) {
			if found := addressIn(d.members[name]); found != "" {
				return found
			}
		}
	}
	return ""
}

// addressIn looks into a member, and one level into an object such as links.
func addressIn(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return address.FindString(strings.TrimSpace(text))
	}
	var inner map[string]string
	_ = json.Unmarshal(raw, &inner) // what is no string leaves its name out
	for _, name := range sorted(inner) {
		if found := address.FindString(strings.TrimSpace(inner[name])); found != "" {
			return found
		}
	}
	return ""
}

// readMonitors lists, by address, the answers that a 202 pointed at.
func (e *evidence) readMonitors() map[string][]int {
	reads := map[string][]int{}
	e.eachTroubled(func(_ int, a answer) {
		if a.Status == http.StatusAccepted {
			if m := a.monitor(); m != "" {
				reads[m] = nil
			}
		}
	})
	for i, a := range e.answers {
		u, err := url.Parse(a.URL)
		if err != nil || a.Method != http.MethodGet {
			continue
		}
		if _, wanted := reads[u.RequestURI()]; wanted {
			reads[u.RequestURI()] = append(reads[u.RequestURI()], i)
		}
	}
	return reads
}

func (e *evidence) readable(reads []int) bool {
	for _, i := range reads {
		if a := e.answers[i]; a.answered() && a.Status < 400 {
			return true
		}
	}
	return false
}

// orphans is the steps whose 202 gives nothing to follow even when all is well.
func (e *evidence) orphans() map[stepKey]bool {
	found := map[stepKey]bool{}
	for step, n := range e.normals {
		for _, i := range n.answers {
			if a := e.answers[i]; a.Status == http.StatusAccepted && a.monitor() == "" {
				found[step] = true
			}
		}
	}
	return found
}

// denies says how the last word of a monitor contradicts the truth, empty where it does not or says nothing final.
func (e *evidence) denies(a answer, reads []int) string {
	r := e.marked[a.Marker]
	if r == nil {
		return ""
	}
	d := e.answers[reads[len(reads)-1]].document()
	if d == nil {
		return ""
	}
	failed, done := len(d.failures()) > 0, d.succeeds() != ""
	for _, x := range r.effects {
		switch there := x.fact.standing; {
		case done && !failed && there == absent && !x.fact.once:
			return "its last word is success, and " + x.truth.effect.Name + " has no row"
		case failed && (there == right || there == wrong || there == several):
			return fmt.Sprintf("its last word is failure, and %s has %d", x.truth.effect.Name, x.fact.count)
		}
	}
	return ""
}
