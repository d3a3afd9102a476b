package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// town is a whole shop in this process, on loopback.
type town struct {
	taken  map[string]bool // addresses
	t      *testing.T
	urls   map[string]string
	admins map[string]string
	stops  map[string]context.CancelFunc
	done   map[string]chan error
	o      Options
	dir    string
	logs   logs
	detour string // by which web reaches orders, where it is not the straight way
}

// logs are what all services of a town write.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newTown(t *testing.T, lies ...string) *town {
	t.Helper()
	c := &town{t: t, taken: map[string]bool{}, urls: map[string]string{}, admins: map[string]string{}, stops: map[string]context.CancelFunc{}, done: map[string]chan error{},
		o: Options{Lies: lies, Canary: "c4nary", Key: "sealed-in-tests", Speed: 20}, dir: t.TempDir()}
	for _, s := range Services {
		c.urls[s], c.admins[s] = "http://"+c.free(t), "http://"+c.free(t)
	}
	for _, s := range []string{"catalog", "payments", "orders", "accounts", "web", "status"} {
		c.start(s)
	}
	t.Cleanup(func() {
		for s := range c.stops {
			c.stop(s)
		}
	})
	return c
}

// free is an address that was given to nobody else, and that the kernel gives to no one who asks for any: a service is
// started on it more than once.
func (c *town) free(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if c.taken[address] {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			c.taken[address] = true
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (c *town) start(service string) {
	c.t.Helper()
	o := c.o
	o.Listen, o.Admin = strings.TrimPrefix(c.urls[service], "http://"), strings.TrimPrefix(c.admins[service], "http://")
	o.Catalog, o.Orders, o.Payments, o.Accounts, o.Web = c.urls["catalog"], c.urls["orders"], c.urls["payments"], c.urls["accounts"], c.urls["web"]
	o.Data = c.dir
	if service == "web" && c.detour != "" {
		o.Orders = c.detour
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stops[service], c.done[service] = stop, make(chan error, 1)
	go func() { c.done[service] <- Run(ctx, service, o, &c.logs) }()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if r, err := http.Get(c.urls[service] + "/healthz"); err == nil {
			r.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%s does not start", service)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *town) stop(service string) {
	c.stops[service]()
	if err := <-c.done[service]; err != nil {
		c.t.Errorf("%s ended with %v", service, err)
	}
	delete(c.stops, service)
}

// buy orders three copies and returns the status and the body.
func (c *town) buy(note string) (int, map[string]any, http.Header) {
	c.t.Helper()
	body, _ := json.Marshal(basket{Book: 42, Copies: 3, Note: note})
	r, err := http.Post(c.urls["web"]+"/api/orders", "application/json", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	var answer map[string]any
	json.NewDecoder(r.Body).Decode(&answer)
	return r.StatusCode, answer, r.Header
}

// truth counts placed orders and charges of a note, past web.
func (c *town) truth(note string) (orders, charges int) {
	c.t.Helper()
	s, err := openStore(c.t.Context(), c.dir, "orders.db")
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.db.Close()
	if err := s.db.QueryRow(`select count(*) from orders where state = 'placed' and note = ?`, note).Scan(&orders); err != nil {
		c.t.Fatal(err)
	}
	r, err := http.Get(c.admins["payments"] + "/charges?prefix=" + url.QueryEscape(note))
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	var all struct{ Charges []charge }
	if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
		c.t.Fatal(err)
	}
	return orders, len(all.Charges)
}

func TestTheHonestShopKeepsItsWord(t *testing.T) {
	c := newTown(t)
	if status, body, _ := c.buy("m-1"); status != http.StatusCreated {
		t.Fatalf("all is well, and buying answers %d %v", status, body)
	}
	if o, ch := c.truth("m-1"); o != 1 || ch != 1 {
		t.Errorf("a confirmed order: %d orders, %d charges; want one of each", o, ch)
	}
	if status, _, _ := c.buy("m-1"); status != http.StatusCreated {
		t.Errorf("the same order again answers %d", status)
	}
	if o, ch := c.truth("m-1"); o != 1 || ch != 1 {
		t.Errorf("ordered twice with one key: %d orders, %d charges; want one of each", o, ch)
	}
	c.stop("payments")
	status, body, header := c.buy("m-2")
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(fmt.Sprint(body), "not charged") {
		t.Errorf("payments is down: %d %v, Retry-After %q", status, body, header.Get("Retry-After"))
	}
	c.start("payments")
	if o, ch := c.truth("m-2"); o != 0 || ch != 0 {
		t.Errorf("a refused order: %d orders, %d charges; want none", o, ch)
	}
	c.stop("orders")
	if status, _, _ := c.buy("m-3"); status != http.StatusServiceUnavailable {
		t.Errorf("orders is down: %d", status)
	}
	c.start("orders")
	if o, ch := c.truth("m-3"); o != 0 || ch != 0 {
		t.Errorf("a refused order: %d orders, %d charges; want none", o, ch)
	}
}

func TestWhatIsPendingIsFinished(t *testing.T) {
	c := newTown(t)
	q, err := openQueue(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &web{options: c.o, queue: q, orders: newDependency(c.urls["orders"], time.Second), payments: newDependency(c.urls["payments"], time.Second)}
	b := basket{Book: 42, Copies: 3, Note: "m-9"}
	if err := s.orders.call(t.Context(), http.MethodPost, "/orders", "hold m-9", held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies}}, nil); err != nil {
		t.Fatal(err)
	}
	if o := s.pending(b, 3600); o.Status != http.StatusAccepted || o.Monitor == "" || q.state("m-9") != "pending" {
		t.Fatalf("pending answers %+v, state %q", o, q.state("m-9"))
	}
	again, err := openQueue(filepath.Dir(q.path))
	if err != nil || again.state("m-9") != "pending" {
		t.Fatalf("after a restart the promise is %q, %v", again.state("m-9"), err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go s.work(ctx)
	deadline := time.Now().Add(20 * time.Second)
	for q.state("m-9") != "placed" {
		if time.Now().After(deadline) {
			t.Fatal("the promise is never kept")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if o, ch := c.truth("m-9"); o != 1 || ch != 1 {
		t.Errorf("%d orders, %d charges; want one of each", o, ch)
	}
}

func TestEveryLieIsExplainedAndTold(t *testing.T) {
	lies, err := Lies()
	if err != nil {
		t.Fatal(err)
	}
	ofPages, err := PageLies()
	if err != nil {
		t.Fatal(err)
	}
	if len(lies) < 23 || len(ofPages) < 42 {
		t.Errorf("%d lies to programs are explained, and %d to people in a browser; want at least 23 and 42", len(lies), len(ofPages))
	}
	lies = append(lies, ofPages...)
	explained := map[string]bool{}
	for _, l := range lies {
		explained[l.ID] = true
		if len(l.Must) == 0 || l.Does == "" || l.Experiment == "" {
			t.Errorf("%s says too little: %+v", l.ID, l)
		}
		for _, m := range l.May {
			if m.Because == "" {
				t.Errorf("%s may break %s, and nobody says why", l.ID, m.Rule)
			}
		}
	}
	for _, l := range lieTable() {
		if !explained[l.id] {
			t.Errorf("lies.yaml says nothing of %s", l.id)
		}
		if l.tell == nil && l.fits != ordersWoke && l.fits != betweenSteps && !l.read {
			t.Errorf("%s is told by nobody", l.id)
		}
	}
	if len(lies) != len(lieTable()) {
		t.Errorf("there are %d lies explained, and %d that can be told", len(lies), len(lieTable()))
	}
}

func TestOneIntentIsToldOneLie(t *testing.T) {
	told := newTold(Options{Lies: []string{"CL-01", "CL-03", "HT-01"}})
	counts := map[string]int{}
	for i := range 3000 {
		marker := fmt.Sprintf("m-%d", i)
		id := told.pick(marker, []string{"CL-01", "HT-01", "LK-01"})
		if again := told.pick(marker, []string{"CL-01", "HT-01", "LK-01"}); again != id {
			t.Fatalf("%s is told %s, and then %s", marker, id, again)
		}
		counts[id]++
	}
	if counts["LK-01"] > 0 || counts["CL-03"] > 0 {
		t.Errorf("lies were told that are off, or do not fit: %v", counts)
	}
	if counts["CL-01"] < 1000 || counts["HT-01"] < 1000 {
		t.Errorf("the lies are told very unequally: %v", counts)
	}
}

func TestPagesAreWhole(t *testing.T) {
	c := newTown(t)
	for path, want := range map[string]string{"/": "Books worth keeping", "/books/42": "The Honest Machine", "/books/99": "no such book", "/orders/nobody": "no such order", "/style.css": "color-scheme"} {
		body := fetch(t, c.urls["web"]+path)
		if !strings.Contains(body, want) {
			t.Errorf("%s does not say %q:\n%.300s", path, want, body)
		}
	}
	if body := fetch(t, c.urls["status"]+"/"); strings.Count(body, "working") != 5 {
		t.Errorf("the status page of a whole shop says\n%s", body)
	}
	form := url.Values{"book": {"42"}, "copies": {"2"}, "note": {"m-<script>"}}
	r, err := http.PostForm(c.urls["web"]+"/checkout", form)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	page, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusCreated {
		t.Fatalf("checkout answers %d, %v", r.StatusCode, err)
	}
	if _, err := html.Parse(bytes.NewReader(page)); err != nil || !bytes.Contains(page, []byte(`data-claim="success"`)) || bytes.Contains(page, []byte("m-<script>")) {
		t.Errorf("checkout says\n%s", page)
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
