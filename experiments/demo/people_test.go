package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// customer is somebody with a browser of their own.
type customer struct {
	town *town
	http *http.Client
}

func (c *town) customer() *customer {
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return &customer{town: c, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// do sends JSON to web and returns the status and the body.
func (p *customer) do(method, path string, body any) (int, string) {
	p.town.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.town.t.Fatal(err)
	}
	request, err := http.NewRequest(method, p.town.urls["web"]+path, bytes.NewReader(data))
	if err != nil {
		p.town.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := p.http.Do(request)
	if err != nil {
		p.town.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.town.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (p *customer) signIn(name string) int {
	status, _ := p.do("POST", "/api/sign-in", credentials{Name: name, Password: practiceLogins[name]})
	return status
}

// wants fails when an answer is another than it should be.
func (p *customer) wants(method, path string, body any, status int, says string) {
	p.town.t.Helper()
	if got, text := p.do(method, path, body); got != status || !strings.Contains(text, says) {
		p.town.t.Errorf("%s %s answers %d %s; want %d with %q", method, path, got, text, status, says)
	}
}

func TestPeopleSeeTheirOwn(t *testing.T) {
	c := newTown(t)
	ann, bob, nobody := c.customer(), c.customer(), c.customer()
	nobody.wants("POST", "/api/sign-in", credentials{Name: "ann", Password: "wrong"}, http.StatusForbidden, "do not fit")
	for _, path := range []string{"/api/account", "/api/account/orders"} {
		nobody.wants("GET", path, nil, http.StatusUnauthorized, "not signed in")
	}
	nobody.wants("GET", "/orders", nil, http.StatusSeeOther, "/sign-in")
	if ann.signIn("ann") != http.StatusCreated || bob.signIn("bob") != http.StatusCreated {
		t.Fatal("nobody can sign in")
	}
	ann.wants("POST", "/api/orders", basket{Book: 42, Copies: 1, Note: "of-ann"}, http.StatusCreated, "of-ann")
	bob.wants("POST", "/api/orders", map[string]any{"book": 42, "note": "of-bob", "customer": "ann"}, http.StatusCreated, "of-bob")
	ann.wants("PUT", "/api/account/address", account{Address: "1 Fell Street"}, http.StatusOK, "saved")
	ann.wants("GET", "/api/account", nil, http.StatusOK, "1 Fell Street")
	bob.wants("GET", "/api/account", nil, http.StatusOK, `"address":""`)
	bob.wants("PUT", "/api/account/address", account{}, http.StatusUnprocessableEntity, "Nothing was saved")
	ann.wants("GET", "/orders/of-ann", nil, http.StatusOK, "of-ann")
	for who, theirs := range map[*customer]string{ann: "of-bob", bob: "of-ann", nobody: "of-"} {
		for _, path := range []string{"/orders", "/api/account/orders", "/api/account", "/api/orders", "/orders/of-" + map[*customer]string{ann: "bob", bob: "ann", nobody: "ann"}[who]} {
			if _, text := who.do("GET", path, nil); strings.Contains(text, theirs) {
				t.Errorf("GET %s shows somebody what is not theirs: %s", path, text)
			}
		}
	}
}

func TestWhoIsSignedInShopsOnWithoutAccounts(t *testing.T) {
	c := newTown(t)
	ann, late := c.customer(), c.customer()
	if ann.signIn("ann") != http.StatusCreated {
		t.Fatal("ann cannot sign in")
	}
	ann.wants("PUT", "/api/account/address", account{Address: "1 Fell Street"}, http.StatusOK, "saved")
	c.stop("accounts")
	late.do("POST", "/api/sign-in", credentials{Name: "bob", Password: practiceLogins["bob"]}) // takes the connection that was open: whether that arrived nobody knows
	late.wants("POST", "/api/sign-in", credentials{Name: "bob", Password: practiceLogins["bob"]}, http.StatusServiceUnavailable, "nothing is wrong with your name or password")
	ann.wants("POST", "/api/orders", basket{Book: 42, Copies: 1, Note: "in-the-dark"}, http.StatusCreated, "in-the-dark")
	ann.wants("GET", "/api/account/orders", nil, http.StatusOK, "in-the-dark")
	ann.wants("PUT", "/api/account/address", account{Address: "2 Fell Street"}, http.StatusServiceUnavailable, "was not saved")
	ann.wants("GET", "/api/account", nil, http.StatusServiceUnavailable, "cannot be shown")
	c.start("accounts")
	ann.wants("GET", "/api/account", nil, http.StatusOK, "1 Fell Street")
	r, err := http.Get(c.admins["accounts"] + "/addresses")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); err != nil || strings.Count(string(body), `"mark"`) != 1 {
		t.Errorf("addresses are %s, %v; want the one that was confirmed", body, err)
	}
}

func TestSessionsAreSealedAndEnd(t *testing.T) {
	now := time.Now()
	token := sealSession("key", "ann.of.the.dots", now.Add(time.Minute))
	for name, c := range map[string]struct {
		key, token string
		at         time.Time
		want       string
	}{
		"good":        {"key", token, now, "ann.of.the.dots"},
		"over":        {"key", token, now.Add(time.Minute), ""},
		"another key": {"yek", token, now, ""},
		"no key":      {"", sealSession("", "ann", now.Add(time.Minute)), now, ""},
		"changed":     {"key", "Ym9i" + token[4:], now, ""},
		"no seal":     {"key", strings.SplitAfterN(token, ".", 2)[0], now, ""},
		"nothing":     {"key", "", now, ""},
	} {
		if got := openSession(c.key, c.token, c.at); got != c.want {
			t.Errorf("%s: openSession = %q; want %q", name, got, c.want)
		}
	}
}

// press submits the same order from several hands, each a moment after the one before.
func (c *town) press(note string, pauses ...time.Duration) {
	c.t.Helper()
	body, _ := json.Marshal(basket{Book: 42, Copies: 3, Note: note})
	var all sync.WaitGroup
	for _, pause := range pauses {
		time.Sleep(pause)
		all.Go(func() {
			r, err := http.Post(c.urls["web"]+"/api/orders", "application/json", bytes.NewReader(body))
			if err != nil {
				c.t.Error(err)
				return
			}
			defer r.Body.Close()
			if text, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusCreated {
				c.t.Errorf("a press answers %d %s, %v", r.StatusCode, text, err)
			}
		})
	}
	all.Wait()
}

func TestHoweverOftenPeoplePress(t *testing.T) {
	c := newTown(t)
	c.press("m-1", 0, 0, 0, time.Millisecond, 30*time.Millisecond)
	if o, ch := c.truth("m-1"); o != 1 || ch != 1 {
		t.Errorf("pressed five times: %d orders, %d charges; want one of each", o, ch)
	}
}

// TestVisitorsOfTheProject: who candor signs in as is who can sign in.
func TestVisitorsOfTheProject(t *testing.T) {
	dir := t.TempDir()
	if err := (Instance{Project: "p", Speed: 20}).Write(dir, Addresses{}); err != nil {
		t.Fatal(err)
	}
	for name, password := range practiceLogins {
		text, err := os.ReadFile(filepath.Join(dir, "visitors", name))
		if err != nil || string(text) != name+":"+password+"\n" {
			t.Errorf("visitors/%s holds %q, %v", name, text, err)
		}
	}
}
