package guardian

import (
	"time"

	"github.com/candor-chaos/candor/faults/journal"
)

// message is one line from the runner. Exactly one of its parts is given.
type message struct {
	Hello  *hello          `json:"hello,omitempty"` // the first, and no other
	Record *journal.Record `json:"record,omitempty"`
	Beat   bool            `json:"beat,omitempty"`
	Bye    bool            `json:"bye,omitempty"` // all is settled: leave
}

// hello says what the guardian has to know before anything is owed.
type hello struct {
	Journal string        `json:"journal"` // path of the file
	Silence time.Duration `json:"silence"` // without any line, after which the runner hangs
	Expiry  time.Duration `json:"expiry"`  // after which the run should long have ended
	Now     time.Time     `json:"now"`     // on the runner's clock, which may be another one
}

// answer is one line to the runner.
type answer struct {
	Heard int    `json:"heard,omitempty"` // the sequence number of a record that is understood
	Ready bool   `json:"ready,omitempty"` // to hello and beat
	Took  string `json:"took,omitempty"`  // why the guardian settled although the runner lives: it must end
	Error string `json:"error,omitempty"` // why a line was refused
}

// lineLimit bounds one line in both directions.
const lineLimit = 4 << 20
