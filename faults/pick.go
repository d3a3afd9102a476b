package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Pick is how many of a service's replicas a fault hits: all (the same as nothing), one, a number, or a share of them such
// as 50%, rounded up. Which ones is drawn from the run's seed.
type Pick string

// IsZero reports whether nothing was said.
func (p Pick) IsZero() bool { return p == "" }

// UnmarshalText reads all, one, 2 or 50%.
func (p *Pick) UnmarshalText(text []byte) error {
	read := Pick(strings.TrimSpace(string(text)))
	if number, share := read.parts(); number < 1 && share == 0 {
		return fmt.Errorf("%q is no part of a service's replicas: all, one, a number such as 2, or a share such as 50%%", text)
	}
	*p = read
	return nil
}

// parts are what was written: a number, or a share; neither where it is nothing of the kind.
func (p Pick) parts() (number int, share Share) {
	switch {
	case p == "all":
		return 0, 1
	case p == "one":
		return 1, 0
	case strings.HasSuffix(string(p), "%"):
		if share.UnmarshalText([]byte(p)) != nil {
			return 0, 0
		}
		return 0, share
	}
	number, err := strconv.Atoi(string(p))
	if err != nil {
		return 0, 0
	}
	return number, 0
}

// of is how many of n replicas it means.
func (p Pick) of(service string, n int) (int, error) {
	number, share := p.parts()
	switch {
	case number > n:
		return 0, fmt.Errorf("pick: %s asks for %d replicas of %s, and %d %s", p, number, service, n, plural(n, "runs", "run"))
	case number > 0:
		return number, nil
	case share > 0:
		return min(n, max(1, ceil(float64(share)*float64(n)))), nil
	}
	return n, nil
}

// ceil rounds up, and lets what a fraction in binary adds pass: 30% of 10 is 3.
func ceil(x float64) int {
	n := int(x)
	if x-float64(n) > 1e-9 {
		n++
	}
	return n
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Spread binds a fault on a service as a whole to the replicas that it is to hit: drawn by pick from a seed and the fault's
// name, all of them where nothing was picked. What comes back is the fault itself where the service runs once.
func Spread(ctx context.Context, w World, k Kind, f Fault, name string, pick Pick, seed uint64) (Kind, Fault, error) {
	s, scales := w.(scaler)
	if k.Whole == "" || !scales && pick.IsZero() {
		return k, f, nil
	}
	service := k.Reach(f).Services[0]
	replicas := []string{service}
	if scales {
		var err error
		if replicas, err = s.Replicas(ctx, service); err != nil {
			return k, f, fmt.Errorf("find %s: %w", service, err)
		}
	}
	n, err := pick.of(service, len(replicas))
	if err != nil || len(replicas) == 1 {
		return k, f, err
	}
	like, err := json.Marshal(f)
	if err != nil {
		return k, f, fmt.Errorf("spread %s: %w", k.Name, err)
	}
	spread := &several{Of: k.Name, Like: like, Out: len(replicas)}
	for _, replica := range draw(replicas, n, name, seed) {
		spread.Replicas = append(spread.Replicas, service+"/"+replica)
	}
	return Several, spread, nil
}

// draw chooses n of a list, and keeps its order.
func draw(all []string, n int, name string, seed uint64) []string {
	h := fnv.New64a()
	h.Write([]byte(name))
	chance := rand.New(rand.NewPCG(seed, h.Sum64()))
	var drawn []string
	for i, at := range chance.Perm(len(all)) {
		if i < n {
			drawn = append(drawn, all[at])
		}
	}
	slices.Sort(drawn)
	return drawn
}
