package faults

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// sizeUnits are the units of an amount of data, the larger ones first: of two that fit, the first is written.
var sizeUnits = [...]struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"GB", 1_000_000_000}, {"MiB", 1 << 20}, {"MB", 1_000_000}, {"KiB", 1 << 10}, {"kB", 1_000}, {"KB", 1_000}, {"B", 1}}

// mostBytes bounds an amount: more than a terabyte is a slip of the pen.
const mostBytes = 1 << 40

// Bytes is an amount of data, as 10KiB or 500B.
type Bytes int64

func (b Bytes) String() string {
	for _, u := range sizeUnits {
		if b != 0 && int64(b)%u.bytes == 0 {
			return strconv.FormatInt(int64(b)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText writes the amount with the largest unit of which it is a whole number.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads a number with a unit: B, kB, KiB, MB, MiB, GB or GiB.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, ok := parseBytes(string(text))
	if !ok {
		return fmt.Errorf("%q is not an amount of data such as 500B, 10KiB or 2MB", text)
	}
	*b = Bytes(n)
	return nil
}

// parseBytes wants a number, not negative, with a unit. Parts of a byte are refused.
func parseBytes(text string) (int64, bool) {
	for _, u := range sizeUnits {
		digits, has := strings.CutSuffix(text, u.name)
		if !has {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		whole := n * float64(u.bytes)
		if err != nil || !(whole >= 0) || whole > mostBytes || whole != math.Trunc(whole) {
			return 0, false
		}
		return int64(whole), true
	}
	return 0, false
}

// Rate is data over time in bytes a second, as 64KiB/s.
type Rate int64

func (r Rate) String() string { return Bytes(r).String() + "/s" }

// MarshalText writes the rate as it is read.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads an amount of data a second.
func (r *Rate) UnmarshalText(text []byte) error {
	amount, is := strings.CutSuffix(string(text), "/s")
	n, ok := parseBytes(amount)
	if !is || !ok {
		return fmt.Errorf("%q is not a rate such as 64KiB/s or 1MB/s", text)
	}
	*r = Rate(n)
	return nil
}

// Share is a part of all connections, from 0 to 1. Zero says nothing: all of them.
type Share float64

func (s Share) String() string { return strconv.FormatFloat(float64(s)*100, 'g', 6, 64) + "%" }

// MarshalText writes the share as a number, which loses nothing.
func (s Share) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatFloat(float64(s), 'g', -1, 64)), nil
}

// UnmarshalText reads 30% or 0.3: more than nothing, and at most everything.
func (s *Share) UnmarshalText(text []byte) error {
	digits, percent := strings.CutSuffix(string(text), "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if percent {
		n /= 100
	}
	if err != nil || !(n > 0) || n > 1 {
		return fmt.Errorf("%q is not a share such as 30%% or 0.3: more than 0, at most 1", text)
	}
	*s = Share(n)
	return nil
}
