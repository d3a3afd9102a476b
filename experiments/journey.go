package experiments

import "time"

// Journey is what a user does, step by step: kind Journey.
type Journey struct {
	Name        string    `yaml:"name" json:"name" required:"true"`
	Surface     string    `yaml:"surface" json:"surface" doc:"http or browser" required:"true"`
	Interaction string    `yaml:"interaction" json:"interaction" doc:"realtime, interact, page or analytics: selects the latency clause" enum:"realtime,interact,page,analytics"`
	Service     string    `yaml:"service" json:"service,omitempty" doc:"service that users talk to; the experiment's when absent"`
	Visitors    []Visitor `yaml:"visitors" json:"visitors,omitempty" doc:"logins; users take them in turn"`
	Setup       []Step    `yaml:"setup" json:"setup,omitempty" doc:"steps once per user, without an intent, such as signing in"`
	Steps       []Step    `yaml:"steps" json:"steps" required:"true"`
	Lookup      []Step    `yaml:"lookup" json:"lookup,omitempty" doc:"steps by which a doubter finds out after the intent whether it is there; the last one's expect says so. When absent a doubter reads the page again on which the intent ended, or that its Location names, and looks for the marker"`
	Effects     []Effect  `yaml:"effects" json:"effects,omitempty"`
	Regions     []Region  `yaml:"regions" json:"regions,omitempty" doc:"parts of the pages that are looked at by themselves, on surface browser"`
}

// Visitor is one login, written name:password, in a place for secrets.
type Visitor struct {
	Env   string   `yaml:"env" json:"env,omitempty" doc:"environment variable that holds name:password; short for login: {{ env.NAME }}"`
	Login Template `yaml:"login" json:"login,omitzero" doc:"name:password, such as {{ file('visitors/ann') }}" env:"address"`
}

// Login is a visitor as a run knows one. Templates see it as visitor.name and visitor.password.
type Login struct{ Name, Password string }

// Step is one thing a user does. The keys that all surfaces share are here; the others fill the surface's own action.
type Step struct {
	Name    string          `yaml:"name" json:"name,omitempty"`
	Timeout time.Duration   `yaml:"timeout" json:"timeout,omitempty" doc:"when the client gives up; twice the tier's final deadline when absent"`
	Needs   []string        `yaml:"needs" json:"needs,omitempty" doc:"services that this step needs; all that its service needs when absent"`
	Expect  Expr            `yaml:"expect" json:"expect,omitempty" doc:"what makes the step a success beside its claim" env:"answer"`
	Extract map[string]Expr `yaml:"extract" json:"extract,omitempty" doc:"values for later steps" env:"answer"`
	Version Expr            `yaml:"version" json:"version,omitempty" doc:"a number in the answer that only grows, of the thing that the address names (RC-05)" env:"answer"`
	Claims  *Claims         `yaml:"claims" json:"claims,omitempty" doc:"what the answer tells the user; its step is the journey's intent, where no other has intent: true"`
	Intent  bool            `yaml:"intent" json:"intent,omitempty" doc:"what the user wants begins with this step, and a later one makes the claims; when the journey ends before those, its last answer is what the user was told"`
	Action  Action          `yaml:",kind=surface" json:"-"`
}

// Claims says when an answer is which claim. First of unknown, refused, pending, success counts when several match.
type Claims struct {
	Success   Expr                      `yaml:"success" json:"success,omitempty" env:"answer"`
	Refused   Expr                      `yaml:"refused" json:"refused,omitempty" env:"answer"`
	Pending   Expr                      `yaml:"pending" json:"pending,omitempty" env:"answer"`
	Unknown   Expr                      `yaml:"unknown" json:"unknown,omitempty" env:"answer"`
	Promise   Expr                      `yaml:"promise" json:"promise,omitempty" doc:"a duration from the answer: when what is pending will be final" env:"answer"`
	PerEffect map[string]map[Claim]Expr `yaml:"per_effect" json:"per_effect,omitempty" doc:"claims about single effects" env:"answer"`
}

// Effect is what the intent should have done to the world.
type Effect struct {
	Name   string     `yaml:"name" json:"name" required:"true"`
	Want   Expr       `yaml:"want" json:"want,omitempty" doc:"the intended value" env:"always"`
	Tenant string     `yaml:"tenant" json:"tenant,omitempty" doc:"own: all that the reader lists belongs to this run" enum:"own,shared"`
	Reader ReaderSpec `yaml:",kind=reader" json:"-"`
	Kind   string     `yaml:"-" json:"kind"`
}

// Region is a part of a page. The selectors within it are CSS, and start at the region.
type Region struct {
	Name       string        `yaml:"name" json:"name" required:"true"`
	Selector   string        `yaml:"selector" json:"selector" required:"true" doc:"CSS"`
	Needs      []string      `yaml:"needs" json:"needs,omitempty" doc:"services whose data it shows; all that the journey's service needs when absent"`
	Kind       string        `yaml:"kind" json:"kind,omitempty" doc:"what its data is about: money, stock, health, or other when absent" enum:"money,stock,health,other"`
	AllowedAge time.Duration `yaml:"allowed_age" json:"allowed_age,omitempty" doc:"how old what it shows may be without saying so"`
	Essential  bool          `yaml:"essential" json:"essential,omitempty" doc:"it may not be missing"`
	Rows       string        `yaml:"rows" json:"rows,omitempty" doc:"its rows of data"`
	Version    string        `yaml:"version" json:"version,omitempty" doc:"what says which version it shows; of a selector that ends in [attribute] the attribute, else the text"`
	Mark       string        `yaml:"mark" json:"mark,omitempty" doc:"what is there when it says that it is old"`
	Live       string        `yaml:"live" json:"live,omitempty" doc:"what is there when it says that it is up to date"`
}
