package experiments

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Date is a day in definitions, as 2027-01-31.
type Date struct{ time.Time }

// MarshalText writes the day.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.Format(time.DateOnly)), nil }

// UnmarshalText reads a day.
func (d *Date) UnmarshalText(text []byte) (err error) {
	d.Time, err = time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a day such as 2027-01-31", text)
	}
	return nil
}

// Rate is arrivals a second.
type Rate float64

// IsZero reports whether no rate was given.
func (r Rate) IsZero() bool { return r == 0 }

// MarshalText writes the rate as 50/s.
func (r Rate) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatFloat(float64(r), 'g', -1, 64) + "/s"), nil
}

// UnmarshalText reads 50/s, 300/m or 1000/h.
func (r *Rate) UnmarshalText(text []byte) error {
	count, unit, _ := strings.Cut(string(text), "/")
	seconds, known := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	n, err := strconv.ParseFloat(count, 64)
	if err != nil || !known || !(n > 0) || math.IsInf(n, 0) {
		return fmt.Errorf("%q is not a rate such as 50/s or 300/m", text)
	}
	*r = Rate(n / seconds)
	return nil
}

// Comparison is a bound such as ">= 99%" or "<= 1s". Value is a share from 0 to 1 for %, seconds for ms and s.
type Comparison struct {
	Op    string
	Value float64
	Unit  string
}

// IsZero reports whether no bound was given.
func (c Comparison) IsZero() bool { return c.Op == "" }

func (c Comparison) String() string {
	value := c.Value
	switch c.Unit {
	case "%":
		value *= 100
	case "ms":
		value *= 1000
	}
	return c.Op + " " + strconv.FormatFloat(value, 'g', 6, 64) + c.Unit
}

// MarshalText writes the bound as it is read.
func (c Comparison) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads an operator (>= <= > < ==) and a number with %, ms or s.
func (c *Comparison) UnmarshalText(text []byte) error {
	rest := strings.TrimSpace(string(text))
	for _, op := range []string{">=", "<=", "==", ">", "<"} {
		number, found := strings.CutPrefix(rest, op)
		if !found {
			continue
		}
		number = strings.TrimSpace(number)
		for _, unit := range []struct {
			suffix string
			scale  float64
		}{{"%", 0.01}, {"ms", 0.001}, {"s", 1}, {"", 1}} {
			digits, has := strings.CutSuffix(number, unit.suffix)
			if !has {
				continue
			}
			value, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
			if err != nil || !(value >= 0) || math.IsInf(value, 0) {
				break
			}
			*c = Comparison{Op: op, Value: value * unit.scale, Unit: unit.suffix}
			return nil
		}
	}
	return fmt.Errorf("%q is not a bound such as \">= 99%%\" or \"<= 1s\"", text)
}

// Met reports whether a measured value (a share, or seconds) keeps the bound.
func (c Comparison) Met(measured float64) bool {
	switch c.Op {
	case ">=":
		return measured >= c.Value
	case "<=":
		return measured <= c.Value
	case ">":
		return measured > c.Value
	case "<":
		return measured < c.Value
	}
	return measured == c.Value
}

// brief is a duration as people write it: 10m and not 10m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
