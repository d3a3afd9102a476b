package demo

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// signInPage is where people say who they are.
func (s *web) signInPage(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "signin", "Sign in", signInForm{Next: within(r.FormValue("next"))})
}

// signInForm is the form as it was filled in, but for the password.
type signInForm struct {
	Name string
	Next string // where to go then
	Said *outcome
}

// within is an address of this shop; anything else leads to the orders.
func within(path string) string {
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.Contains(path, "\\") {
		return path
	}
	return "/orders"
}

// signIn asks accounts, and says honestly when that is not possible.
func (s *web) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	c := credentials{Name: r.PostFormValue("name"), Password: r.PostFormValue("password"), Device: r.PostFormValue("device")}
	token, o := s.begin(r, c)
	if token == "" {
		s.answer(w, r, o)
		return
	}
	s.remember(w, token)
	next := within(r.PostFormValue("next"))
	if s.pulse != nil {
		next = s.bendNext(next)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// signOut ends the session in this browser.
func (s *web) signOut(w http.ResponseWriter, r *http.Request) {
	s.forget(w)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *web) forget(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
}

func (s *web) apiSignIn(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if !readBody(w, r, &c) {
		return
	}
	token, o := s.begin(r, c)
	if token == "" {
		s.answer(w, r, o)
		return
	}
	s.remember(w, token)
	writeJSON(w, http.StatusCreated, map[string]string{"name": c.Name, "message": "You are signed in."})
}

// begin begins a session; without a token the outcome says why there is none.
func (s *web) begin(r *http.Request, c credentials) (token string, o outcome) {
	var begun struct{ Session string }
	err := s.accounts.call(r.Context(), http.MethodPost, "/sessions", "", c, &begun)
	var answer *errAnswer
	switch {
	case err == nil && begun.Session != "":
		return begun.Session, outcome{}
	case errors.As(err, &answer) && answer.status == http.StatusForbidden:
		return "", outcome{Status: http.StatusForbidden, Claim: "failed", Title: "You are not signed in", Detail: "Name and password do not fit together."}
	case neverDone(err):
		return "", outcome{Status: http.StatusServiceUnavailable, Claim: "failed", Title: "Signing in is not possible right now", Retry: s.options.paced(retryAfter),
			Detail: "This is our fault: nothing is wrong with your name or password. You can buy without signing in."}
	}
	return "", outcome{Status: http.StatusServiceUnavailable, Claim: "unknown", Title: "We do not know whether you are signed in", Retry: s.options.paced(retryAfter),
		Detail: "This is our fault. Please sign in again in a while; nothing comes of it if you do so twice."}
}

func (s *web) remember(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: seconds(s.options.paced(sessionTime))})
}

// who is the visitor of a request; whoever is not signed in is told so, and false comes back.
func (s *web) who(w http.ResponseWriter, r *http.Request) (string, bool) {
	if name := s.visitor(r); name != "" {
		return name, true
	}
	writeProblem(w, http.StatusUnauthorized, problem{Title: "You are not signed in", Status: http.StatusUnauthorized})
	return "", false
}

// ordersOf asks orders for what one customer has ordered.
func (s *web) ordersOf(r *http.Request, name string) ([]order, error) {
	var all struct{ Orders []order }
	err := s.orders.call(r.Context(), http.MethodGet, "/orders?customer="+url.QueryEscape(name), "", nil, &all)
	return all.Orders, err
}

func (s *web) apiMyOrders(w http.ResponseWriter, r *http.Request) {
	name, signedIn := s.who(w, r)
	if !signedIn || s.pulse != nil && s.cachedOrders(w, r, name) {
		return
	}
	mine, err := s.ordersOf(r, name)
	if err != nil {
		s.unavailable(w, r, "Your orders", err)
		return
	}
	if s.pulse != nil {
		s.cache.keep(r.URL.Path, name, mine)
	}
	writeJSON(w, http.StatusOK, map[string]any{"orders": mine})
}

func (s *web) apiAccount(w http.ResponseWriter, r *http.Request) {
	name, signedIn := s.who(w, r)
	if !signedIn || s.pulse != nil && s.cachedAccount(w, name) {
		return
	}
	var mine account
	if err := s.accounts.call(r.Context(), http.MethodGet, "/accounts/"+url.PathEscape(name), "", nil, &mine); err != nil {
		s.unavailable(w, r, "Your account", err)
		return
	}
	if s.pulse != nil {
		s.cache.keep("account", name, mine)
	}
	writeJSON(w, http.StatusOK, mine)
}

func (s *web) apiMove(w http.ResponseWriter, r *http.Request) {
	name, signedIn := s.who(w, r)
	var asked account
	if !signedIn || !readBody(w, r, &asked) {
		return
	}
	switch o := s.move(r, name, asked.Address); o.Status {
	case http.StatusOK:
		writeJSON(w, o.Status, map[string]string{"message": o.Title + "."})
	case http.StatusGatewayTimeout:
		writeJSON(w, o.Status, map[string]any{"message": o.Title + ". " + o.Detail})
	default:
		s.answer(w, r, o)
	}
}
