package journeys

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
)

func TestAnIntentInFlightEnds(t *testing.T) {
	shop, n := newShop(), new(notes)
	shop.set("hang")
	w := walker(t, shop, buy(), n)
	ctx, cancel := context.WithCancel(t.Context())
	var walking errgroup.Group
	walking.Go(func() error {
		visit, err := w.Walk(ctx, 0, time.Time{})
		if err == nil && !visit.OK {
			err = errors.New(visit.Stopped)
		}
		return err
	})
	for shop.count("cdr-1") == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	close(shop.hang)
	if err := walking.Wait(); err != nil {
		t.Error(err)
	}
	if c := n.claims(); len(c) != 1 || c[0].Claim != success {
		t.Errorf("claims %+v", c)
	}
}

func TestNoStepBeginsAfterTheEnd(t *testing.T) {
	n := new(notes)
	w := walker(t, newShop(), buy(), n)
	ctx, cancel := context.WithCancel(t.Context())
	n.breaks = func(r experiments.Record) error {
		if r.Exchange != nil && r.Exchange.Step == "basket" {
			cancel()
		}
		return nil
	}
	visit, err := w.Walk(ctx, 0, time.Time{})
	if err != nil || visit.Stopped != `the run ended before step "order"` || n.kinds() != "sign in=200, basket=200, stopped" {
		t.Errorf("visit %+v, %v; history %s", visit, err, n.kinds())
	}
	if visit, err := w.Walk(ctx, 0, time.Time{}); err != nil || visit.OK || visit.Stopped == "" {
		t.Errorf("a visit after the end: %+v, %v", visit, err)
	}
}
