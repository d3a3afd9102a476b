package journeys

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// pace divides the times of this test's shop, and the deadlines by which its people live: orders that take 4 s and a
// guard against double clicks of 1 s take 200 and 50 milliseconds.
const pace = 20

// slowShop needs 4 s for an order. It has a guard against double clicks of 1 s, or goes by the idempotency key.
type slowShop struct {
	keyed bool

	mu      sync.Mutex
	pressed map[string]time.Time // when a note's guard began
	orders  map[string]int
	asked   map[string]int // requests by path
	hidden  int            // look-ups that do not find what is there
}

func newSlowShop(keyed bool) *slowShop {
	return &slowShop{keyed: keyed, pressed: map[string]time.Time{}, orders: map[string]int{}, asked: map[string]int{}}
}

func (s *slowShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	first := s.asked[r.URL.Path] == 1
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		s.order(w, r)
	case r.URL.Path == "/book":
		if first {
			time.Sleep(4 * time.Second / pace)
		}
		respond(w, 200, map[string]any{"pence": 1200})
	case strings.HasPrefix(r.URL.Path, "/orders/"):
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.hidden--; s.hidden >= 0 || s.orders[strings.TrimPrefix(r.URL.Path, "/orders/")] == 0 {
			respond(w, 404, map[string]any{})
			return
		}
		respond(w, 200, map[string]any{"state": "placed"})
	}
}

func (s *slowShop) order(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Note string }
	_ = json.NewDecoder(r.Body).Decode(&asked)
	s.mu.Lock()
	guarded := time.Since(s.pressed[asked.Note]) < time.Second/pace
	if !guarded {
		s.pressed[asked.Note] = time.Now()
	}
	s.mu.Unlock()
	time.Sleep(4 * time.Second / pace)
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.orders[asked.Note] > 0; s.keyed && !known || !s.keyed && !guarded {
		s.orders[asked.Note]++
	}
	w.Header().Set("Location", "/orders/"+asked.Note)
	respond(w, 201, map[string]any{"id": 1})
}

// persona lets one person of a kind go to a shop once.
func persona(t *testing.T, name string, shop http.Handler, journey *experiments.Journey) *notes {
	t.Helper()
	n := new(notes)
	w := walker(t, shop, journey, n)
	feedback := experiments.DefaultDeadlines().Feedback / pace
	w.planned.Acts = experiments.NewPersona(name, experiments.Deadlines{Feedback: feedback})
	visit, err := w.Walk(t.Context(), 0, time.Time{})
	if err != nil || !visit.OK {
		t.Fatalf("the visit of somebody %s: %+v, %v", name, visit, err)
	}
	return n
}

// bookOrder looks at a book and orders it.
func bookOrder() *experiments.Journey {
	return &experiments.Journey{Name: "buy", Surface: "http", Service: "web", Steps: []experiments.Step{
		{Name: "book", Action: &Request{Get: text("/book")}, Timeout: 5 * time.Second},
		{Name: "order", Timeout: 5 * time.Second, Action: &Request{Post: text("/orders"), JSON: experiments.Tree{Value: map[string]any{"note": text("{{ marker }}")}}},
			Claims: &experiments.Claims{Success: expr("status == 201")}},
	}}
}

// attempts lists the first hops of a step, in the order of their attempts.
func (n *notes) attempts(step string) map[int]*experiments.Exchange {
	found := map[int]*experiments.Exchange{}
	for _, r := range n.records {
		if r.Exchange != nil && r.Exchange.Step == step && r.Exchange.Hop == 0 {
			found[r.Exchange.Attempt] = r.Exchange
		}
	}
	return found
}

// TestPeopleFindTheDuplicate: a guard of 1 s against an answer of 4 s is none. Keys are.
func TestPeopleFindTheDuplicate(t *testing.T) {
	for name, want := range map[string]struct{ presses, reloads, guarded int }{
		experiments.Patient:   {1, 1, 1},
		experiments.Doubter:   {1, 1, 1},
		experiments.Hasty:     {3, 1, 2},
		experiments.Impatient: {3, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, keyed := range []bool{false, true} {
				shop := newSlowShop(keyed)
				n := persona(t, name, shop, bookOrder())
				least, most := want.guarded, want.presses
				if keyed {
					least, most = 1, 1
				}
				if got := shop.orders["cdr-1"]; got < least || got > most {
					t.Errorf("keyed %v: %d orders; want %d to %d", keyed, got, least, most)
				}
				presses, reloads := n.attempts("order"), n.attempts("book")
				// The last press of somebody impatient is due when the answer is: either may come first.
				least = want.presses
				if name == experiments.Impatient {
					least--
				}
				if len(presses) < least || len(presses) > want.presses || len(reloads) != want.reloads {
					t.Errorf("keyed %v: pressed %d times and asked for the page %d times; want %d and %d", keyed, len(presses), len(reloads), want.presses, want.reloads)
				}
				for attempt, e := range presses {
					if e.Marker != "cdr-1" || e.By != experiments.ByPerson || e.RequestBody.Text != presses[1].RequestBody.Text {
						t.Errorf("attempt %d is another request: %+v", attempt, e)
					}
				}
				claims := n.claims()
				if len(claims) != len(presses) || claims[0].Claim != success || claims[0].Clicked != claims[len(claims)-1].Clicked {
					t.Errorf("keyed %v: claims %+v; want one for each answer, counted from the first press", keyed, claims)
				}
			}
		})
	}
}

// TestADoubterLooksAgain: what is not in sight at first is looked for until the product has had its time.
func TestADoubterLooksAgain(t *testing.T) {
	own := bookOrder()
	own.Lookup = []experiments.Step{{Name: "my order", Action: &Request{Get: text("/orders/{{ marker }}")}, Expect: expr("status == 200")}}
	for name, c := range map[string]struct {
		journey *experiments.Journey
		hidden  int
		step    string
		seen    bool
		looks   int
	}{
		"at once":         {bookOrder(), 0, "order, looked up", true, 1},
		"its own look-up": {own, 0, "my order", true, 1},
		"a little later":  {bookOrder(), 2, "order, looked up", true, 3},
		"never":           {bookOrder(), 99, "order, looked up", false, 4},
	} {
		t.Run(name, func(t *testing.T) {
			shop := newSlowShop(true)
			shop.hidden = c.hidden
			n := persona(t, experiments.Doubter, shop, c.journey)
			var sight *experiments.Sight
			for _, r := range n.records {
				if r.Sight != nil {
					sight = r.Sight
				}
			}
			if sight == nil || sight.Seen != c.seen || sight.Looks != c.looks || sight.Step != c.step || sight.Told != success || sight.Blind != "" {
				t.Fatalf("sight %+v; want step %s, seen %v after %d looks", sight, c.step, c.seen, c.looks)
			}
			lag := 2 * experiments.DefaultDeadlines().Feedback / pace
			if !c.seen && sight.After < lag {
				t.Errorf("gave up after %s, before %s", sight.After, lag)
			}
		})
	}
}

// TestVisitorsTakeTurns: each user is one visitor, and signs in with that login.
func TestVisitorsTakeTurns(t *testing.T) {
	j := bookOrder()
	j.Setup = []experiments.Step{{Name: "sign in", Action: &Request{Post: text("/sign-in"), Form: map[string]experiments.Template{"name": text("{{ visitor.name }}"), "password": text("{{ visitor.password }}")}}}}
	n := new(notes)
	w := walker(t, newSlowShop(true), j, n)
	w.config.Plan.Exec.Visitors = [][]experiments.Login{{{Name: "ann", Password: "ann-secret"}, {Name: "bob", Password: "bob-secret"}}}
	for user, want := range []string{"ann", "bob", "ann"} {
		if _, err := w.Walk(t.Context(), user, time.Time{}); err != nil {
			t.Fatal(err)
		}
		last := n.records[len(n.records)-3].Exchange
		if last == nil || last.Visitor != want {
			t.Errorf("user %d is %+v; want %s", user, last, want)
		}
		signed := 0
		for _, r := range n.records {
			if r.Exchange != nil && r.Exchange.Setup && r.Exchange.User == user {
				if signed++; r.Exchange.RequestBody.Text != "name="+want+"&password="+want+"-secret" {
					t.Errorf("user %d signed in with %s", user, r.Exchange.RequestBody.Text)
				}
			}
			if r.Intent != nil && r.Intent.User == user && r.Intent.Visitor != want {
				t.Errorf("the intent of user %d is %s's", user, r.Intent.Visitor)
			}
		}
		if signed != 1 {
			t.Errorf("user %d signed in %d times", user, signed)
		}
	}
}
