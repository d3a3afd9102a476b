package agent

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// replier answers requests in the dependency's place. Its dose is drawn for each request that it meets, in the order in
// which they come.
type replier struct {
	name string
	faults.Reply
	dose
	met atomic.Uint64
}

// picksRequest draws for one request.
func (r *replier) picksRequest(q *http.Request) bool {
	if !r.Meets(q.Method, q.URL.Path) {
		return false
	}
	number, share := r.met.Add(1), r.whole()*r.strength()
	return share >= 1 || r.draw(number) < share
}

// bytes is the answer as it is sent. closes says that nothing comes after it.
func (r *replier) bytes(method string, closes bool) []byte {
	var b bytes.Buffer
	text := http.StatusText(r.Status)
	if text == "" {
		text = "Status " + strconv.Itoa(r.Status)
	}
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", r.Status, text)
	all := http.Header{}
	for name, value := range r.Headers {
		all.Set(name, value)
	}
	if all.Get("Date") == "" {
		all.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	if r.Body != "" && all.Get("Content-Type") == "" {
		all.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if !faults.Bodiless(r.Status) {
		all.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	if closes {
		all.Set("Connection", "close")
	}
	_ = all.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	if method != http.MethodHead && !faults.Bodiless(r.Status) {
		b.WriteString(r.Body)
	}
	return b.Bytes()
}

// repliers are those in force on one lane. The zero value is ready.
type repliers struct {
	mu  sync.Mutex
	all []*replier // what is here is never changed, only replaced
}

func (r *repliers) now() []*replier {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

// find is nil when nobody has the name.
func (r *repliers) find(name string) *replier {
	for _, one := range r.now() {
		if one.name == name {
			return one
		}
	}
	return nil
}

// add puts one in force. One that is there goes on.
func (r *repliers) add(one *replier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.all, func(other *replier) bool { return other.name == one.name }) {
		r.all = append(slices.Clone(r.all), one)
	}
}

// remove ends one: what it has promised to a request that came before is kept.
func (r *repliers) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(slices.Clone(r.all), func(one *replier) bool { return one.name == name })
}

// reply puts an impairment's reply in force on a lane.
func (l *lane) reply(name string, i faults.Impairment) {
	l.forward.repliers.add(&replier{name: name, Reply: *i.Reply,
		dose: dose{Seed: l.seed, Salt: l.salt("reply"), Share: i.Share, Ramp: i.Ramp, Since: time.Now().UnixMilli()}})
}

// replied counts what a reply has answered; nothing when there is none.
func (l *lane) replied(name string) int64 {
	if r := l.forward.repliers.find(name); r != nil {
		return r.count()
	}
	return 0
}

// replying reports whether a reply is in force.
func (l *lane) replying(name string) faults.State {
	if l.forward.repliers.find(name) != nil {
		return faults.Present
	}
	return faults.Absent
}
