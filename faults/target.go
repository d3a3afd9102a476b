package faults

import (
	"context"
	"errors"
	"fmt"
)

// ask hands out an ability of a world. Whoever compiles an experiment has asked Needs before; the error is for a journal
// that meets another world than the one it was written in.
func ask[Ability any](w World, verb string) (Ability, error) {
	a, ok := w.(Ability)
	if !ok {
		return a, fmt.Errorf("a %s world cannot %s", w.Name(), verb)
	}
	return a, nil
}

// target finds a service that a fault may act on: running, and not protected.
func target(ctx context.Context, w World, service string) (Identity, error) {
	id, err := w.Find(ctx, service)
	if err != nil {
		return id, fmt.Errorf("find %s: %w", service, err)
	}
	if id.Protected {
		return id, fmt.Errorf("%s: %w", called(w, id), ErrProtected)
	}
	now, running, err := incarnation(ctx, w, id)
	if err == nil && !running {
		err = fmt.Errorf("%s does not run", called(w, id))
	}
	if err != nil {
		return id, err
	}
	id.Born, id.Process = now.Born, now.Process
	return id, nil
}

func incarnation(ctx context.Context, w World, id Identity) (now Identity, running bool, err error) {
	o, err := ask[observer](w, "tell one incarnation from the next")
	if err != nil {
		return id, false, err
	}
	if now, running, err = o.Incarnation(ctx, id); err != nil {
		return now, false, fmt.Errorf("look at %s: %w", called(w, id), err)
	}
	return now, running, nil
}

// fate says what became of a thing that is gone: the note for a person, and ErrReplaced when another one has its name.
func fate(ctx context.Context, w World, id Identity) (note string, err error) {
	now, err := w.Find(ctx, id.Service)
	if errors.Is(err, ErrAmbiguous) { // the others of its service are not it
		now, err = w.Find(ctx, id.Service+"/"+id.Name)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return called(w, id) + " is gone", nil
	case err == nil && now.ID != id.ID:
		return called(w, id) + " is gone, and another one has its name",
			fmt.Errorf("%s is gone, and what has its name is left alone: %w", called(w, id), ErrReplaced)
	case err != nil:
		return "", fmt.Errorf("find %s: %w", id.Service, err)
	}
	return "", fmt.Errorf("%s went and came back while candor looked", called(w, id))
}

// called names a thing as messages do: "orders (container shop_orders_1)".
func called(w World, id Identity) string {
	switch {
	case id.Name == "" || id.Name == id.Service:
		return id.Service
	case w.Name() == "docker":
		return fmt.Sprintf("%s (container %s)", id.Service, id.Name)
	}
	return fmt.Sprintf("%s (%s)", id.Service, id.Name)
}

// byHand is what a person types where things are containers.
func byHand(w World, verb string, id Identity) string {
	if w.Name() != "docker" || id.Name == "" {
		return ""
	}
	return fmt.Sprintf("docker %s %s", verb, id.Name)
}
