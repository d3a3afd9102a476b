package experiments

import (
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Recorder takes observations and returns the Seq of each, so that a later record can point at it. An error means that
// evidence was lost, and makes the run unproven. It may be used by many goroutines at once.
type Recorder interface {
	Append(Record) (int64, error)
}

// Record is one line of a run's history: a time and exactly one of the observations. Seq is its line number from 1.
type Record struct {
	Seq         int64           `json:"seq"`
	At          time.Time       `json:"at"`
	Head        *Head           `json:"head,omitempty"`
	Phase       *PhaseStart     `json:"phase,omitempty"`
	Block       *MarkerBlock    `json:"block,omitempty"`
	Intent      *Intent         `json:"intent,omitempty"`
	Exchange    *Exchange       `json:"exchange,omitempty"`
	Claim       *ClaimMade      `json:"claim,omitempty"`
	Sight       *Sight          `json:"sight,omitempty"`
	Visit       *Visit          `json:"visit,omitempty"`
	Page        *PageSeen       `json:"page,omitempty"`
	Press       *Press          `json:"press,omitempty"`
	Notice      *Notice         `json:"notice,omitempty"`
	Shot        *Shot           `json:"shot,omitempty"`
	Outline     *Outline        `json:"outline,omitempty"`
	Fault       *FaultEvent     `json:"fault,omitempty"`
	Look        *Look           `json:"look,omitempty"`
	Status      *StatusRead     `json:"status,omitempty"`
	Truth       *TruthRead      `json:"truth,omitempty"`
	Region      *RegionRead     `json:"region,omitempty"`
	Seen        *faults.Request `json:"seen,omitempty"`
	Trouble     *Trouble        `json:"trouble,omitempty"`
	Environment *Environs       `json:"environment,omitempty"`
	End         *End            `json:"end,omitempty"`
}

// Head is the first line.
type Head struct {
	Schema     string `json:"schema"` // candor.history/v1
	Run        string `json:"run"`
	Experiment string `json:"experiment"`
	System     string `json:"system"`
	Prefix     string `json:"prefix"` // of every marker
	Seed       uint64 `json:"seed"`
	Candor     string `json:"candor"` // version
	PlanHash   string `json:"plan_hash"`
}

// PhaseStart begins a phase and ends the one before.
type PhaseStart struct {
	Name Phase `json:"name"`
}

// MarkerBlock reserves markers, synced before any of them is used. A marker in a reserved block is never a phantom.
type MarkerBlock struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

// Intent is one thing that a user wants once, written before the act.
type Intent struct {
	Marker  string            `json:"marker"`
	Journey string            `json:"journey"`
	Step    string            `json:"step"`
	User    int               `json:"user"`
	Visitor string            `json:"visitor,omitempty"` // whose login it was, by name
	Visit   int64             `json:"visit"`
	Wants   map[string]string `json:"wants,omitempty"` // intended value by effect, where one is declared
}

// Exchange is one request and its answer; a redirect is one hop of several.
type Exchange struct {
	Marker  string  `json:"marker,omitempty"` // of the intent that it belongs to
	Journey string  `json:"journey"`
	Step    string  `json:"step"`
	Setup   bool    `json:"setup,omitempty"`
	User    int     `json:"user"`
	Visitor string  `json:"visitor,omitempty"` // whose login it was, by name
	Visit   int64   `json:"visit"`
	Attempt int     `json:"attempt"` // from 1; those of one act at once, or pressed again, count on
	Hop     int     `json:"hop"`     // from 0
	By      Starter `json:"by"`
	Service string  `json:"service,omitempty"` // whose address it went to

	Method         string            `json:"method"`
	URL            string            `json:"url"`
	RequestHeaders map[string]string `json:"request_headers,omitempty"`
	RequestBody    Text              `json:"request_body,omitzero"`

	Sent      time.Time `json:"sent"`
	FirstByte time.Time `json:"first_byte,omitzero"`
	Ended     time.Time `json:"ended"`
	Due       time.Time `json:"due,omitzero"` // when the arrival was due, in the open model: latency counts from here

	Status  int                 `json:"status,omitempty"` // 0: no response
	Headers map[string][]string `json:"headers,omitempty"`
	Body    Text                `json:"body,omitzero"`
	Hits    []PatternHit        `json:"hits,omitempty"`
	Trouble string              `json:"trouble,omitempty"` // timeout, refused, reset, closed, dns, tls, too-large, malformed, other
	Why     string              `json:"why,omitempty"`     // the trouble in words
	Expect  *bool               `json:"expect,omitempty"`  // what the step's expect said, on the last hop
	Version *float64            `json:"version,omitempty"` // what the step's version said, on the last hop

	// Of requests that a page made.
	Kind      string `json:"kind,omitempty"`       // document, xhr, fetch, eventsource, websocket, ping; empty on surface http
	FromCache bool   `json:"from_cache,omitempty"` // the browser did not ask anybody
	Page      int64  `json:"page,omitempty"`       // the document that asked
}

// Text is a body as far as it was kept.
type Text struct {
	Text   string `json:"text,omitempty"`
	Length int64  `json:"length,omitempty"` // bytes in all, as far as they were read
	SHA256 string `json:"sha256,omitempty"` // of all that was read
	Cut    bool   `json:"cut,omitempty"`    // there was more than Text holds
	Unread bool   `json:"unread,omitempty"` // there was more than was read
}

// PatternHit is a leak pattern, a default page or a planted secret that was met in a stream.
type PatternHit struct {
	Pattern string `json:"pattern"`
	Offset  int64  `json:"offset"`
	Text    string `json:"text"` // bounded; a real secret is redacted
}

// ClaimMade is what the product told a user, and every change of it.
type ClaimMade struct {
	Marker   string           `json:"marker"`
	Journey  string           `json:"journey"`
	Step     string           `json:"step"`
	Claim    Claim            `json:"claim"`
	Effects  map[string]Claim `json:"effects,omitempty"` // where the product spoke for single effects
	By       string           `json:"by"`                // declared, markup, lexicon, status, nothing
	Text     string           `json:"text,omitempty"`    // the evidence, bounded
	Also     []Claim          `json:"also,omitempty"`    // further claims that matched: a contradiction
	Promise  time.Duration    `json:"promise,omitempty"` // until it will be final
	Clicked  time.Time        `json:"clicked"`
	Final    time.Time        `json:"final"`              // when it was made
	Exchange int64            `json:"exchange,omitempty"` // Seq of the answer that made it
	Sample   int64            `json:"sample,omitempty"`   // on a page: Seq of the sample that showed it
	Block    int64            `json:"block,omitempty"`    // on a page: ID of the block that said it, where it was one
}

// Sight is what a doubter found when they looked up what they had just been told.
type Sight struct {
	Marker   string        `json:"marker"`
	Journey  string        `json:"journey"`
	Step     string        `json:"step"` // of the look-up; that of the intent where there was none
	User     int           `json:"user"`
	Visitor  string        `json:"visitor,omitempty"`
	Told     Claim         `json:"told"`
	Seen     bool          `json:"seen"`
	Blind    string        `json:"blind,omitempty"` // why they could not look; then Seen says nothing
	Looks    int           `json:"looks"`
	After    time.Duration `json:"after"`              // from the claim to when the last look was sent
	Exchange int64         `json:"exchange,omitempty"` // Seq of the answer that they looked at last
}

// Visit is one walk through a journey, done.
type Visit struct {
	ID      int64     `json:"id"`
	Journey string    `json:"journey"`
	User    int       `json:"user"`
	Due     time.Time `json:"due,omitzero"`
	Started time.Time `json:"started"`
	OK      bool      `json:"ok"`
	Stopped string    `json:"stopped,omitempty"` // why and at which step it ended early
}

// FaultEvent is one moment in a fault's life.
type FaultEvent struct {
	Name  string       `json:"name"`
	Event string       `json:"event"` // prepared, injecting, injected, hits, reverting, reverted, failed
	State faults.State `json:"state,omitempty"`
	Hits  int64        `json:"hits,omitempty"`
	Said  string       `json:"said,omitempty"`
	Error string       `json:"error,omitempty"`
	// Of injected, where the fault waited for a visit: which one was held, and what it wanted.
	Visit  int64  `json:"visit,omitempty"`
	Marker string `json:"marker,omitempty"`
}

// Look is one look of a probe.
type Look struct {
	Probe   string        `json:"probe"`
	Role    string        `json:"role"` // steady, expect, abort, truth-guard, ready
	OK      bool          `json:"ok"`
	Blind   string        `json:"blind,omitempty"` // why it could not look; then OK says nothing
	Summary string        `json:"summary,omitempty"`
	Elapsed time.Duration `json:"elapsed"`
}

// TruthRead is one reading of one effect for all intents of the run.
type TruthRead struct {
	Journey string     `json:"journey"`
	Effect  string     `json:"effect"`
	Round   string     `json:"round"` // before, early, first, second, guard
	Started time.Time  `json:"started"`
	Rows    []TruthRow `json:"rows,omitempty"`
	Blind   string     `json:"blind,omitempty"` // why it could not be read
}

// Trouble is something that the runner itself met and the verdict must know.
type Trouble struct {
	Code string `json:"code"` // a reason code, such as sick-baseline, aborted, load-behind, evidence-lost
	Text string `json:"text"`
}

// Environs is what was found when the environment was verified at the end.
type Environs struct {
	Clean   bool     `json:"clean"`
	Left    []string `json:"left,omitempty"`
	Changed []string `json:"changed,omitempty"` // not as before the run, and not candor's doing
}

// End is the last line.
type End struct {
	Ending      Ending        `json:"ending"`
	SteadyAfter time.Duration `json:"steady_after,omitempty"` // from the end of the last fault; 0 when never
}

// History is all that was seen in one run, in order.
type History struct {
	Records []Record
	Torn    bool // the last line was cut off; all before it is there
}
