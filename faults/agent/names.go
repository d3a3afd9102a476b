package agent

import (
	"fmt"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/candor-chaos/candor/faults"
)

// lies are the look-ups that fail, by the label of who wants it so, and how many of each have.
type lies struct {
	mu   sync.Mutex
	told map[string]*lie
}

type lie struct {
	faults.Misnaming
	hits int64
}

// checkMisnaming refuses an answer that nobody knows.
func checkMisnaming(m faults.Misnaming) error {
	if _, known := codes[m.Answer]; !known && m.Answer != answerTimeout {
		return fmt.Errorf("unknown answer %q (nxdomain · servfail · timeout)", m.Answer)
	}
	return nil
}

const answerTimeout = "timeout"

var codes = map[string]dnsmessage.RCode{"nxdomain": dnsmessage.RCodeNameError, "servfail": dnsmessage.RCodeServerFailure}

// meet decides about one message of an application. One that does not ask for a name that is lied about, or is no question
// at all, is to be passed on as it is; reply is nil where nothing is to be answered.
func (l *lies) meet(message []byte) (reply []byte, met bool) {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || header.Response {
		return nil, false
	}
	var asked []dnsmessage.Question
	for {
		q, err := p.Question()
		if err != nil { // the end of the questions, or of what can be read
			break
		}
		asked = append(asked, q)
	}
	answer := l.find(asked)
	if answer == "" {
		return nil, false
	}
	if answer == answerTimeout {
		return nil, true
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: header.ID, Response: true, OpCode: header.OpCode,
		RecursionDesired: header.RecursionDesired, RecursionAvailable: true, RCode: codes[answer]})
	if b.StartQuestions() == nil {
		for _, q := range asked {
			if b.Question(q) != nil {
				break
			}
		}
	}
	reply, err = b.Finish()
	return reply, err == nil
}

// find finds and counts the lie that one of the questions meets.
func (l *lies) find(asked []dnsmessage.Question) (answer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range asked {
		for _, told := range l.told {
			if told.covers(q.Name.String()) {
				told.hits++
				return told.Answer
			}
		}
	}
	return ""
}

// covers reports whether a name is one of those, or below one.
func (l *lie) covers(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, n := range l.Names {
		n = strings.ToLower(strings.TrimSuffix(n, "."))
		if name == n || strings.HasSuffix(name, "."+n) {
			return true
		}
	}
	return false
}

func (l *lies) tell(label string, m faults.Misnaming) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.told[label]; old != nil {
		old.Misnaming = m
		return
	}
	l.told[label] = &lie{Misnaming: m}
}

// forget reports whether none is left.
func (l *lies) forget(label string) (none bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.told, label)
	return len(l.told) == 0
}

func (l *lies) hits(label string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if told := l.told[label]; told != nil {
		return told.hits
	}
	return 0
}
