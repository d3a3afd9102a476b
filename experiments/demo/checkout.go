package demo

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"
)

// basket is what a customer wants once.
type basket struct {
	Book   int    `json:"book"`
	Copies int    `json:"copies"`
	Note   string `json:"note"`
	// Customer is who is signed in; nobody can say it of themselves.
	Customer string `json:"customer,omitempty"`
}

// outcome is what a customer is told. Status and retry are for programs, the words for everybody.
type outcome struct {
	Status  int
	Claim   string // success, failed, pending or unknown: the page's data-claim
	Title   string
	Detail  string
	Retry   time.Duration // when to come back, for refusals
	Within  time.Duration // when it will be final, for what is pending
	Number  string
	Monitor string // where what is pending can be followed
	// Reference is what the log calls it by.
	Reference string
	Address   string // of a form: where the books go
	Again     bool   // it is an order or an address, with an input that was kept
	Bare      bool   // a lie: nothing but the words
	cause     error  // for the log
}

// Ours reports whether it went wrong on the shop's side.
func (o outcome) Ours() bool { return o.Status >= http.StatusInternalServerError }

// refused is an honest no: what became of the order and of the card, and when to come back.
func (s *web) refused(title string, cause error) outcome {
	return outcome{Status: http.StatusServiceUnavailable, Claim: "failed", Title: title,
		Detail: "Your card was not charged and nothing was ordered.", Retry: s.options.paced(retryAfter), cause: cause}
}

const (
	retryAfter = 40 * time.Second  // how long the shop asks to wait
	finality   = 400 * time.Second // how long it takes, at most, to finish what is pending
)

// checkout takes an order honestly: hold, charge, place. Each call carries the note as its key, so that repeating it is
// safe. A hold that nobody pays for is no order; once the card may have been charged, the shop finishes what it began.
func (s *web) checkout(ctx context.Context, b basket, title string, pence int) outcome {
	hold := held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies, Customer: b.Customer}}
	if err := s.orders.call(ctx, http.MethodPost, "/orders", "hold "+b.Note, hold, nil); err != nil {
		return s.refused("Orders cannot be taken right now", err)
	}
	err := s.payments.call(ctx, http.MethodPost, "/charges", "charge "+b.Note, charge{Reference: b.Note, Pence: pence}, nil)
	switch {
	case err != nil && neverDone(err):
		return s.refused("Payments are not available right now", err)
	case err != nil:
		return s.pending(b, pence)
	}
	if err := s.orders.call(ctx, http.MethodPost, "/orders/"+b.Note+"/place", "place "+b.Note, nil, nil); err != nil {
		return s.pending(b, pence)
	}
	return placed(b, title)
}

func placed(b basket, title string) outcome {
	return outcome{Status: http.StatusCreated, Claim: "success", Title: "Order placed", Number: b.Note,
		Detail: fmt.Sprintf("Thank you for your order: %s of %s.", copies(b.Copies), title)}
}

func copies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", n)
}

// pending puts an order into the queue that outlives a restart, and promises when it will be final.
func (s *web) pending(b basket, pence int) outcome {
	if err := s.queue.add(task{Basket: b, Pence: pence}); err != nil {
		return outcome{Status: http.StatusServiceUnavailable, Claim: "unknown", Title: "We do not know yet whether your order was placed",
			Detail: "Check your orders before you try again.", Retry: s.options.paced(retryAfter)}
	}
	within := s.options.paced(finality)
	return outcome{Status: http.StatusAccepted, Claim: "pending", Title: "Your order is being processed", Number: b.Note,
		Within: within, Monitor: "/api/orders/" + b.Note,
		Detail: fmt.Sprintf("It will be final within %d seconds. You do not need to do anything.", seconds(within))}
}

// seconds are whole seconds, at least one.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
