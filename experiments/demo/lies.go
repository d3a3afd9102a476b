package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// symptom is what a lying shop has noticed about a dependency.
type symptom string

// The symptoms that lies fit.
const (
	well         symptom = ""
	paymentsDown symptom = "payments down"
	ordersSlow   symptom = "orders slow"
	ordersDown   symptom = "orders down"
	ordersBack   symptom = "orders back" // for a while after it was down
	ordersWoke   symptom = "orders woke" // told by orders itself, after a restart
	accountsDown symptom = "accounts down"
	accountsBack symptom = "accounts back" // for a while after it was down
	betweenSteps symptom = "between steps" // told by the checkout in steps
	readers      symptom = "readers"       // told to those who only read
	booksDown    symptom = "catalog down"
	anytime      symptom = "anytime"
)

// lie is one way not to tell the truth, by the rule that it breaks. Those of orders have no tell.
type lie struct {
	id   string
	fits symptom
	// read: it is told to somebody who reads, not to one who buys.
	read bool
	// page: it is told to people in a browser alone.
	page bool
	tell func(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, pence int)
}

// lieTable is every lie that the shop can tell. What each does, and which rules it breaks beside its own, is in lies.yaml.
func lieTable() []lie {
	return []lie{
		{id: "CL-01", fits: ordersSlow, tell: dropAndThank},
		{id: "CL-02", fits: ordersSlow, tell: storeOneConfirmAll},
		{id: "CL-03", fits: ordersSlow, tell: refuseAndDoIt},
		{id: "CL-04", fits: ordersSlow, tell: orderTwice},
		{id: chargesAgain, fits: betweenSteps},
		{id: "CL-05", fits: ordersSlow, tell: saySilent},
		{id: "CL-06", fits: ordersDown, tell: promiseAndDrop},
		{id: "CL-09", fits: paymentsDown, tell: orderWithoutCharge},
		{id: "CL-10", fits: ordersBack, tell: orderAndCleanUp},
		{id: "CL-11", fits: ordersWoke},
		{id: "HT-01", fits: ordersSlow, tell: failWith200},
		{id: "HT-02", fits: paymentsDown, tell: twoStatuses},
		{id: "HT-03", fits: paymentsDown, tell: blameTheCard},
		{id: "HT-04", fits: ordersSlow, tell: acceptWithoutMonitor},
		{id: "HT-05", fits: ordersBack, tell: comeBackSoon},
		{id: "HT-06", fits: paymentsDown, tell: htmlForJSON},
		{id: "HT-09", fits: ordersSlow, tell: repeatWithoutKey},
		{id: "HT-10", fits: ordersSlow, tell: hang},
		{id: "IN-05", fits: ordersSlow, tell: guardAlone},
		{id: "LK-01", fits: ordersDown, tell: leakTrace},
		{id: "LK-02", fits: ordersDown, tell: leakSQL},
		{id: "LK-03", fits: paymentsDown, tell: leakAddress},
		{id: "LK-05", fits: paymentsDown, tell: defaultPage},
		{id: "LK-06", fits: paymentsDown, tell: leakSecret},
		{id: "LK-07", fits: accountsDown, read: true},
		{id: "RC-06", fits: accountsBack, read: true},
		{id: "HT-07", fits: readers, read: true},
		{id: "HT-08", fits: readers, read: true},
		{id: "RC-08", fits: readers, read: true},
		{id: "SP-01", fits: readers, read: true},
		{id: "SP-03", fits: readers, read: true},
		{id: "SP-06", fits: readers, read: true},
		{id: "LK-04", fits: booksDown, page: true, read: true},
		{id: "CL-07", fits: paymentsDown, page: true, read: true},
		{id: "CL-08", fits: paymentsDown, page: true, read: true},
		{id: "TX-01", fits: paymentsDown, page: true, tell: instead("Your order was not placed", "Check your internet connection and try again in a minute. Your card was not charged.")},
		{id: "TX-02", fits: paymentsDown, page: true, tell: instead("Your card number is invalid", "Nothing was ordered. You can use another card.")},
		{id: "TX-03", fits: ordersDown, page: true, tell: instead("We are down for scheduled maintenance", notOrdered+" Please try again in an hour.")},
		{id: "TX-04", fits: paymentsDown, page: true, tell: instead("Your order could not be placed", "Your card was not charged.")},
		{id: "TX-05", fits: paymentsDown, page: true, tell: instead("Sorry, there is a problem", "Go back to the shop.")},
		{id: "TX-06", fits: ordersDown, page: true, tell: offerRetry},
		{id: "TX-07", fits: paymentsDown, page: true, tell: instead("Upstream instance returned 502, token was not propagated", notOrdered+" Go back to the shop.")},
		{id: "TX-08", fits: ordersDown, page: true, tell: instead("Oops!", "")},
		{id: "TX-09", fits: paymentsDown, page: true, tell: instead("checkout.errors.payment_failed", notOrdered+" Go back to the shop.")},
		{id: "TX-10", fits: paymentsDown, page: true, tell: acceptAndDeny},
		{id: "TX-11", fits: paymentsDown, page: true, tell: untraceable},
		{id: "TX-12", fits: paymentsDown, page: true, tell: instead("You submitted an illegal request", notOrdered+" Go back to the shop.")},
		{id: "ST-01", fits: ordersDown, page: true, read: true},
		{id: "ST-02", fits: booksDown, page: true, read: true},
		{id: "ST-03", fits: booksDown, page: true, read: true},
		{id: "ST-04", fits: booksDown, page: true, read: true},
		{id: "ST-05", fits: booksDown, page: true, read: true},
		{id: "ST-06", fits: ordersDown, page: true, read: true},
		{id: "ST-07", fits: booksDown, page: true, read: true},
		{id: "ST-08", fits: booksDown, page: true, read: true},
		{id: "ST-09", fits: paymentsDown, page: true, read: true},
		{id: "ST-10", fits: paymentsDown, page: true, read: true},
		{id: "ST-11", fits: ordersSlow, page: true, read: true},
		{id: "ST-12", fits: ordersDown, page: true, tell: sayBoth},
		{id: "ST-13", fits: paymentsDown, page: true, read: true},
		{id: "ST-14", fits: paymentsDown, page: true, tell: bending("ST-14")},
		{id: "IN-01", fits: paymentsDown, page: true, tell: bending("IN-01")},
		{id: "IN-02", fits: paymentsDown, page: true, tell: bending("IN-02")},
		{id: "IN-03", fits: booksDown, page: true, read: true},
		{id: "IN-04", fits: anytime, page: true, read: true},
		{id: "IN-06", fits: paymentsDown, page: true, read: true},
		{id: "AX-01", fits: paymentsDown, page: true, tell: bending("AX-01")},
		{id: "AX-02", fits: paymentsDown, page: true, tell: bending("AX-02")},
		{id: "AX-03", fits: ordersDown, page: true, read: true},
		{id: "AX-04", fits: paymentsDown, page: true, tell: bending("AX-04")},
		{id: "AX-05", fits: paymentsDown, page: true, tell: bending("AX-05")},
		{id: "AX-06", fits: anytime, page: true, read: true},
		{id: "RC-01", fits: anytime, page: true, read: true},
		{id: "RC-02", fits: ordersDown, page: true, read: true},
	}
}

func lieByID(id string) *lie {
	for _, l := range lieTable() {
		if l.id == id {
			return &l
		}
	}
	return nil
}

// lieAbout tells a buyer the one lie that fits, if one is on. It reports whether it did.
func (s *web) lieAbout(w http.ResponseWriter, r *http.Request, b basket, title string, pence int) bool {
	now := s.pulse.symptom()
	if now == well {
		return false
	}
	var fitting []string
	for _, l := range lieTable() {
		if l.fits == now && l.tell != nil && (!l.page || forPeople(r)) {
			fitting = append(fitting, l.id)
		}
	}
	if now == ordersBack && s.told.lies("CL-10") && s.told.lies("HT-05") {
		// Mixed by chance the two hide each other: every other success makes a named time look kept.
		fitting = []string{"CL-10"}
		if s.pulse.refusesFor() > s.pulse.settle/2 {
			fitting = []string{"HT-05"}
		}
	}
	id := s.told.pick(b.Note, fitting)
	if id == "" {
		return false
	}
	switch {
	case id == "IN-05": // it is a lie once somebody presses again
	case id == "HT-05" && s.pulse.refusesFor() <= comeBack: // the last refusals before the shop gives in name a time at which it works
	default:
		s.told.note(id, b.Note)
	}
	lieByID(id).tell(s, w, r, b, title, pence)
	return true
}

func dropAndThank(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, _ int) {
	s.answer(w, r, placed(b, title))
}

func storeOneConfirmAll(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, pence int) {
	older := b
	older.Copies = 1
	s.orderSlowly(r.Context(), older, pence)
	s.answer(w, r, placed(b, title))
}

func refuseAndDoIt(s *web, w http.ResponseWriter, r *http.Request, b basket, _ string, pence int) {
	go s.orderSlowly(context.WithoutCancel(r.Context()), b, pence)
	s.answer(w, r, s.refused("Payment failed", errLied))
}

// orderSlowly orders with all the patience in the world.
func (s *web) orderSlowly(ctx context.Context, b basket, pence int) {
	hold := held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies}}
	_ = s.slow.call(ctx, http.MethodPost, "/orders", "hold "+b.Note, hold, nil)
	_ = s.payments.call(ctx, http.MethodPost, "/charges", "charge "+b.Note, charge{Reference: b.Note, Pence: pence}, nil)
	_ = s.slow.call(ctx, http.MethodPost, "/orders/"+b.Note+"/place", "place "+b.Note, nil, nil)
}

// orderTwice repeats the slow request without a key: two rows.
func orderTwice(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, pence int) {
	s.repeat(r.Context(), b, pence, false)
	s.answer(w, r, placed(b, title))
}

// repeatWithoutKey repeats it too, and orders happens to notice: one row.
func repeatWithoutKey(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, pence int) {
	s.repeat(r.Context(), b, pence, true)
	s.answer(w, r, placed(b, title))
}

func (s *web) repeat(ctx context.Context, b basket, pence int, dedupe bool) {
	hold := held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies}, Dedupe: dedupe}
	hasty := *s.orders
	hasty.timeout = 55 * time.Millisecond
	_ = hasty.call(ctx, http.MethodPost, "/orders", "", hold, nil)
	_ = s.slow.call(ctx, http.MethodPost, "/orders", "", hold, nil)
	_ = s.payments.call(ctx, http.MethodPost, "/charges", "charge "+b.Note, charge{Reference: b.Note, Pence: pence}, nil)
	_ = s.slow.call(ctx, http.MethodPost, "/orders/"+b.Note+"/place", "place "+b.Note, nil, nil)
}

// saySilent keeps the customer waiting until they leave.
func saySilent(_ *web, _ http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	<-r.Context().Done()
}

func promiseAndDrop(s *web, w http.ResponseWriter, r *http.Request, b basket, _ string, _ int) {
	within := s.options.paced(2 * time.Minute)
	s.answer(w, r, outcome{Status: http.StatusAccepted, Claim: "pending", Title: "Your order is being processed", Number: b.Note,
		Within: within, Monitor: "/api/orders/" + b.Note, Detail: fmt.Sprintf("It will be ready within %d seconds.", seconds(within))})
}

func orderWithoutCharge(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, _ int) {
	hold := held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies}}
	_ = s.orders.call(r.Context(), http.MethodPost, "/orders", "hold "+b.Note, hold, nil)
	_ = s.orders.call(r.Context(), http.MethodPost, "/orders/"+b.Note+"/place", "place "+b.Note, nil, nil)
	o := placed(b, title)
	o.Title = "Ordered and paid"
	s.answer(w, r, o)
}

// orderAndCleanUp orders as it should be, and lets the clean-up of orders take it away later.
func orderAndCleanUp(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, pence int) {
	hold := held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies}, Doomed: true}
	_ = s.orders.call(r.Context(), http.MethodPost, "/orders", "hold "+b.Note, hold, nil)
	s.answer(w, r, s.checkout(r.Context(), b, title, pence))
}

func failWith200(_ *web, w http.ResponseWriter, _ *http.Request, _ basket, _ string, _ int) {
	writeJSON(w, http.StatusOK, map[string]any{"success": false, "error": "orders unavailable, nothing was ordered"})
}

func twoStatuses(s *web, w http.ResponseWriter, _ *http.Request, _ basket, _ string, _ int) {
	writeProblem(w, http.StatusInternalServerError, problem{Title: "Payments are not available right now", Status: http.StatusServiceUnavailable,
		Detail: "Your card was not charged and nothing was ordered."})
}

func blameTheCard(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	s.answer(w, r, outcome{Status: http.StatusUnprocessableEntity, Claim: "failed", Title: "Your card number is invalid", Detail: "Nothing was ordered."})
}

// acceptWithoutMonitor keeps its promise, and gives nothing to follow it by.
func acceptWithoutMonitor(s *web, w http.ResponseWriter, r *http.Request, b basket, _ string, pence int) {
	go s.orderSlowly(context.WithoutCancel(r.Context()), b, pence)
	w.WriteHeader(http.StatusAccepted)
}

// comeBack is the shortest time that Retry-After can name.
const comeBack = time.Second

func comeBackSoon(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	o := s.refused("Orders cannot be taken right now", errLied)
	o.Retry = comeBack
	s.answer(w, r, o)
}

func htmlForJSON(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	s.retryHeader(w)
	s.show(w, r, http.StatusServiceUnavailable, "outcome", "Not available", s.refused("Payments are not available right now", errLied))
}

// hang accepts the request and writes nothing for longer than anybody should wait, then refuses honestly.
func hang(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	select {
	case <-r.Context().Done():
	case <-time.After(s.options.paced(32 * time.Second)):
		s.answer(w, r, s.refused("Orders cannot be taken right now", errLied))
	}
}

func (s *web) leak(w http.ResponseWriter, r *http.Request, status int, detail string) {
	s.answer(w, r, outcome{Status: status, Claim: "failed", Title: "Nothing was ordered and your card was not charged", Detail: detail, Retry: s.options.paced(retryAfter), cause: errLied})
}

func leakTrace(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	s.leak(w, r, http.StatusServiceUnavailable, "panic: runtime error: invalid memory address\ngoroutine 71 [running]:\nmain.checkout(0xc0001)\n\tcheckout.go:118 +0x1d")
}

func leakSQL(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	s.leak(w, r, http.StatusServiceUnavailable, `relation "orders" does not exist (SQLSTATE 42P01)`)
}

func leakAddress(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	s.leak(w, r, http.StatusServiceUnavailable, "payments at http://payments.shop.svc.cluster.local:8083 did not answer")
}

func defaultPage(s *web, w http.ResponseWriter, _ *http.Request, _ basket, _ string, _ int) {
	s.retryHeader(w)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}

func leakSecret(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	s.leak(w, r, http.StatusServiceUnavailable, "cannot connect: user=shop password="+s.options.Canary)
}

func (s *web) retryHeader(w http.ResponseWriter) {
	w.Header().Set("Retry-After", fmt.Sprint(seconds(s.options.paced(retryAfter))))
}
