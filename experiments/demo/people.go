package demo

import (
	"errors"
	"net/http"
	"net/url"
)

// signInPage is where people say who they are.
func (s *web) signInPage(w http.ResponseWriter, _ *http.Request) {
	page(w, http.StatusOK, "signin", nil)
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
	http.Redirect(w, r, "/orders", http.StatusSeeOther)
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

func (s *web) myOrdersPage(w http.ResponseWriter, r *http.Request) {
	name := s.visitor(r)
	if name == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	mine, err := s.ordersOf(r, name)
	if err != nil {
		s.trouble(w, "Your orders")
		return
	}
	page(w, http.StatusOK, "orders", map[string]any{"Name": name, "Orders": mine})
}

func (s *web) apiMyOrders(w http.ResponseWriter, r *http.Request) {
	name, signedIn := s.who(w, r)
	if !signedIn || s.pulse != nil && s.cachedOrders(w, r, name) {
		return
	}
	mine, err := s.ordersOf(r, name)
	if err != nil {
		s.unavailable(w, "Your orders")
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
		s.unavailable(w, "Your account")
		return
	}
	if s.pulse != nil {
		s.cache.keep("account", name, mine)
	}
	writeJSON(w, http.StatusOK, mine)
}

// apiMove saves an address. Saving it twice is no harm, so who does not know may try again.
func (s *web) apiMove(w http.ResponseWriter, r *http.Request) {
	name, signedIn := s.who(w, r)
	var asked account
	if !signedIn || !readBody(w, r, &asked) {
		return
	}
	if asked.Address == "" || len(asked.Address) > 200 {
		writeProblem(w, http.StatusUnprocessableEntity, problem{Title: "Nothing was saved", Status: http.StatusUnprocessableEntity, Detail: "An address has 1 to 200 letters."})
		return
	}
	err := s.accounts.call(r.Context(), http.MethodPut, "/accounts/"+url.PathEscape(name)+"/address", "", asked, nil)
	switch {
	case err == nil:
		s.savedUnseen(asked.Address)
		writeJSON(w, http.StatusOK, map[string]string{"message": "Your address is saved."})
	case neverDone(err):
		s.answer(w, r, outcome{Status: http.StatusServiceUnavailable, Claim: "failed", Title: "Your address was not saved", Retry: s.options.paced(retryAfter),
			Detail: "This is our fault. The old one stands."})
	default:
		writeJSON(w, http.StatusGatewayTimeout, map[string]any{"message": "We do not know whether your address was saved. Look at your account before you try again."})
	}
}
