package experiments

import "time"

// Where says whose page a record is about, and at which moment of their visit.
type Where struct {
	Journey string `json:"journey"`
	User    int    `json:"user"`
	Visitor string `json:"visitor,omitempty"` // whose login it was, by name
	Visit   int64  `json:"visit"`
	Step    string `json:"step,omitempty"`   // that was last begun
	Marker  string `json:"marker,omitempty"` // of the intent, from its act to the end of the visit
	// Page numbers the documents that a user sees: it rises with each one, and blocks are numbered within it.
	Page int64 `json:"page"`
}

// PageSeen is a sample of a page, of what changed since the one before: the observer looks every 250 ms and after changes
// of the document, and speaks when something changed or two seconds have passed. A View adds them up again. Its record's
// At is the page's own clock, which is this machine's.
type PageSeen struct {
	Where
	First   bool          `json:"first,omitempty"` // of its document: nothing that was seen before is there any more
	URL     string        `json:"url"`
	Title   string        `json:"title"`
	Lang    string        `json:"lang,omitempty"`
	Ready   string        `json:"ready"`             // loading, interactive, complete
	Focus   int64         `json:"focus,omitempty"`   // ID of the block that has the focus; 0: it is on the body, or nowhere
	Born    []Block       `json:"born,omitempty"`    // new blocks, and blocks that changed, which keep their ID
	Gone    []int64       `json:"gone,omitempty"`    // IDs of blocks that are no longer there, or no longer visible
	Regions []RegionSeen  `json:"regions,omitempty"` // declared regions that changed
	Cut     string        `json:"cut,omitempty"`     // the page is larger than what is looked at, and how
	Gaps    []int         `json:"gaps,omitempty"`    // ms between the samples since the last record; one due every 250 ms
	Cost    time.Duration `json:"cost,omitempty"`    // how long the longest of these samples took the page
}

// Block is a piece of a page that a person can see: a text (an element with text of its own), a control, a picture with a
// name, a sign that something is being waited for, or an empty container that announces its changes. ID stays the same as
// long as the element lives, and within its document alone.
type Block struct {
	ID       int64  `json:"id"`
	Selector string `json:"selector"`
	Tag      string `json:"tag"`
	Role     string `json:"role,omitempty"` // as assistive technology has it: the attribute, else the element's own
	Name     string `json:"name,omitempty"` // accessible name, of controls and pictures
	Text     string `json:"text,omitempty"` // all visible text of its own, at most 500 characters
	Box      Box    `json:"box"`
	Unseen   bool   `json:"unseen,omitempty"` // only assistive technology meets it: its box has no area to speak of

	Live        string `json:"live,omitempty"`       // assertive or polite: it is in something that announces its changes
	LiveBorn    bool   `json:"live_born,omitempty"`  // and that was inserted together with it
	Dialog      bool   `json:"dialog,omitempty"`     // it is in a dialog
	Landmark    string `json:"landmark,omitempty"`   // the nearest: main, navigation, banner, contentinfo, search, form …
	Region      string `json:"region,omitempty"`     // the declared region that it is in
	Heading     int    `json:"heading,omitempty"`    // 1 to 6
	Control     bool   `json:"control,omitempty"`    // a person can act on it, or could if it were not disabled
	Disabled    bool   `json:"disabled,omitempty"`   // a control that cannot be used
	Busy        bool   `json:"busy,omitempty"`       // it, or what it is in, is aria-busy
	Waiting     bool   `json:"waiting,omitempty"`    // a progress bar, spinner or placeholder
	Invalid     bool   `json:"invalid,omitempty"`    // aria-invalid, or a value that its own constraints refuse after use
	Described   string `json:"described,omitempty"`  // its accessible description
	Claim       string `json:"data_claim,omitempty"` // the nearest data-claim, as it is written
	Value       string `json:"value,omitempty"`      // of a form control; never of passwords, cards, files and hidden fields
	Masked      bool   `json:"masked,omitempty"`     // its value is not looked at
	Placeholder string `json:"placeholder,omitempty"`

	Hits []PatternHit `json:"hits,omitempty"` // leak patterns and secrets in its text
}

// Box is where a block stands on the page, in CSS pixels from the document's corner.
type Box struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// RegionSeen is what a declared part of the page looks like.
type RegionSeen struct {
	Name    string `json:"name"`
	Absent  bool   `json:"absent,omitempty"`  // the selector matches nothing, or a box without area
	Busy    bool   `json:"busy,omitempty"`    // it, or what it is in, is aria-busy
	Waiting bool   `json:"waiting,omitempty"` // it holds a progress bar, spinner or placeholder
	Rows    int    `json:"rows,omitempty"`    // visible elements that its rows select
	Marked  bool   `json:"marked,omitempty"`  // its mark selects something visible: it says itself that it is old
	Live    bool   `json:"live,omitempty"`    // its live selects something visible: it says that it is up to date
	Version string `json:"version,omitempty"` // text or attribute that its version selects
	Text    string `json:"text,omitempty"`    // its visible text, at most 1,000 characters
	Box     Box    `json:"box,omitzero"`
}

// Press is one act of a person on a page: a step, or one attempt at it.
type Press struct {
	Where
	Attempt int       `json:"attempt"` // from 1; those of one act at once, or pressed again, count on
	Verb    string    `json:"verb"`    // open, fill, click, press, select, wait, back, reload, tab
	Target  string    `json:"target,omitempty"`
	Block   int64     `json:"block,omitempty"` // ID of what was acted on
	Box     Box       `json:"box,omitzero"`    // of it
	Began   time.Time `json:"began"`           // when the person turned to it
	Acted   time.Time `json:"acted,omitzero"`  // when key, button or address went in; zero: it could not be acted
	Ended   time.Time `json:"ended"`           // when the person went on
	Trouble string    `json:"trouble,omitempty"`
	Why     string    `json:"why,omitempty"` // the trouble in words
}

// Notice is something that happened around a page.
type Notice struct {
	Where
	Kind string    `json:"kind"` // one of the Notice constants
	Text string    `json:"text,omitempty"`
	URL  string    `json:"url,omitempty"`
	When time.Time `json:"when"`
	Many int       `json:"many,omitempty"` // further ones of this kind were counted and not written down
}

// The kinds of notice.
const (
	NoticeNavigated = "navigated" // the main frame shows another document; URL is the one that could not be reached where the browser shows an error page of its own, and Text its reason
	NoticeConsole   = "console"   // an error or warning on the console
	NoticeException = "exception" // nobody caught it
	NoticeDialog    = "dialog"    // alert, confirm, prompt: dismissed at once; Text is what it said
	NoticeDownload  = "download"  // refused
	NoticeWindow    = "window"    // a new window: noted, and closed
	NoticeAsset     = "asset"     // a script, style, picture or font did not come
	NoticeSocket    = "socket"    // a message came over a web socket or event stream, or it opened or closed
	NoticeCrash     = "crash"     // the page's process died
)

// Shot is a screenshot in the run's folder.
type Shot struct {
	Where
	Why    string `json:"why"`  // baseline start, baseline middle, baseline end, …; claim; error
	File   string `json:"file"` // within the run's folder: shots/000001.jpg
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int    `json:"bytes"`
}

// Outline is the browser's own accessibility tree at one moment, in the order of reading.
type Outline struct {
	Where
	Why   string `json:"why"` // claim, error
	Nodes []Node `json:"nodes"`
	Cut   bool   `json:"cut,omitempty"` // there are more
}

// Node is one node of an accessibility tree; ignored ones are left out.
type Node struct {
	Depth    int    `json:"depth"`
	Role     string `json:"role"`
	Name     string `json:"name,omitempty"`
	About    string `json:"about,omitempty"` // description
	Live     string `json:"live,omitempty"`
	Busy     bool   `json:"busy,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	Focused  bool   `json:"focused,omitempty"`
	Invalid  bool   `json:"invalid,omitempty"`
}
