package agent

import (
	"encoding/json"
	"fmt"

	"github.com/candor-chaos/candor/faults"
)

// longest bounds a time in a toxic, in milliseconds. The library takes any number, a negative one too.
const longest = 3_600_000

// mostToxics is how many toxics one impairment can have; unimpair does not know how many it had.
const mostToxics = 8

// The bounds of the other numbers: bytes, and a gap in microseconds.
const (
	largest    = 1 << 40
	longestGap = 60_000_000
)

// attributesOf are the whole numbers that each toxic takes, with the most of each.
var attributesOf = map[string]map[string]int64{
	"latency":    {"latency": longest, "jitter": longest},
	"timeout":    {"timeout": longest},
	"bandwidth":  {"rate": largest, "bytes": largest},
	"slicer":     {"average_size": largest, "size_variation": 0, "delay": longestGap},
	"limit_data": {"bytes": largest},
	"slow_close": {"delay": longest},
}

// check refuses an impairment that could not be what was meant.
func check(i faults.Impairment) error {
	if i.Block == "" && len(i.Toxics) == 0 && i.Reply == nil {
		return fmt.Errorf("an impairment of nothing")
	}
	if len(i.Toxics) > mostToxics {
		return fmt.Errorf("%d toxics in one impairment; at most %d", len(i.Toxics), mostToxics)
	}
	if !(i.Share >= 0 && i.Share <= 1) {
		return fmt.Errorf("a share of %v is not between 0 and 1", i.Share)
	}
	if i.Ramp < 0 || i.Ramp > longest {
		return fmt.Errorf("a ramp of %d ms is not between 0 and %d", i.Ramp, longest)
	}
	if f := i.Flap; f != nil && (i.Block == "" || f.Down < 1 || f.Down > longest || f.Up < 1 || f.Up > longest) {
		return fmt.Errorf("a flap of %d and %d ms of block %q; it needs a block, and times from 1 to %d", f.Down, f.Up, i.Block, longest)
	}
	if i.Reply != nil {
		if i.Block != "" || len(i.Toxics) > 0 {
			return fmt.Errorf("a reply together with other impairments; each is made by itself")
		}
		if err := i.Reply.Check(); err != nil {
			return fmt.Errorf("a reply: %w", err)
		}
	}
	for _, t := range i.Toxics {
		if err := checkToxic(t); err != nil {
			return err
		}
	}
	return nil
}

func checkToxic(t faults.Toxic) error {
	known, is := attributesOf[t.Type]
	if !is {
		return fmt.Errorf("unknown toxic %q", t.Type)
	}
	if t.Stream != "upstream" && t.Stream != "downstream" {
		return fmt.Errorf("toxic %s: unknown stream %q", t.Type, t.Stream)
	}
	given, err := json.Marshal(t.Attributes)
	if err != nil {
		return fmt.Errorf("toxic %s: %w", t.Type, err)
	}
	numbers := map[string]int64{}
	if err := json.Unmarshal(given, &numbers); err != nil {
		return fmt.Errorf("toxic %s: attributes are whole numbers: %w", t.Type, err)
	}
	for name, most := range known {
		if n := numbers[name]; n < 0 || n > most {
			return fmt.Errorf("toxic %s: %s %d is not between 0 and %d", t.Type, name, n, most)
		}
		delete(numbers, name)
	}
	for name := range numbers {
		return fmt.Errorf("toxic %s: unknown attribute %q", t.Type, name)
	}
	return nil
}
