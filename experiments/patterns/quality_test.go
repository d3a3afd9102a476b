package patterns

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// set is a file of labelled messages, and how well the lexicon of its language must read them, in per cent. A claim that
// nobody made is a false alarm and weighs most, so precision stands higher than recall.
type set struct {
	file             string
	tuned            bool // the phrases were tuned on it; what is misread is listed
	rows             int  // at least
	precision        int  // of claims
	recall           int
	alsoPrecision    int // of the further classes
	alsoRecall       int
	successPrecision int // of the claim whose false alarm is the worst: a lie would be seen where none is
}

func sets() []set {
	return []set{
		{"tuning-en.txt", true, 75, 95, 90, 92, 92, 95},
		{"heldout-en.txt", false, 135, 91, 67, 91, 57, 88},
		{"roundcube-en.txt", true, 200, 97, 92, 88, 90, 97},
		{"wordpress-en.txt", false, 160, 93, 52, 76, 56, 93},
		{"tuning-de.txt", true, 115, 97, 95, 95, 95, 97},
		{"heldout-de.txt", false, 60, 96, 87, 95, 92, 96},
		{"roundcube-de.txt", true, 200, 96, 90, 95, 90, 97},
		{"wordpress-de.txt", false, 160, 87, 49, 72, 29, 93},
	}
}

// tally counts what was read against what is labelled.
type tally struct{ right, alarms, missed int }

func (c tally) precision() int { return percent(c.right, c.right+c.alarms) }
func (c tally) recall() int    { return percent(c.right, c.right+c.missed) }

func percent(part, of int) int {
	if of == 0 {
		return 100
	}
	return 100 * part / of
}

// quality is how well the messages of a set are read: each claim apart, and all claims and further classes together.
type quality struct {
	rows         int
	by           map[string]*tally
	claims, also tally
}

func (q *quality) count(all *tally, kind string, said, is bool) {
	one := q.by[kind]
	if one == nil {
		one = &tally{}
		q.by[kind] = one
	}
	for _, c := range []*tally{one, all} {
		switch {
		case said && is:
			c.right++
		case said:
			c.alarms++
		case is:
			c.missed++
		}
	}
}

var claimNames = [...]string{"success", "refused", "pending", "unknown"}

func measure(t *testing.T, ls Lexicons, s set) quality {
	t.Helper()
	data, err := os.ReadFile("testdata/" + s.file)
	if err != nil {
		t.Fatal(err)
	}
	language := strings.TrimSuffix(s.file[strings.LastIndex(s.file, "-")+1:], ".txt")
	l, ok := ls.For(language)
	if !ok {
		t.Fatalf("%s: there is no lexicon of %q", s.file, language)
	}
	q := quality{by: map[string]*tally{}}
	for lines, n := bufio.NewScanner(bytes.NewReader(data)), 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		q.rows++
		row := append(strings.Split(line, "|"), "")
		text, claim, also := strings.TrimSpace(row[0]), strings.TrimSpace(row[1]), list(row[2])
		if claim != "none" && !slices.Contains(claimNames[:], claim) {
			t.Errorf("testdata/%s:%d: %q is no claim", s.file, n, claim)
		}
		for _, class := range also {
			if !slices.Contains(classNames, class) {
				t.Errorf("testdata/%s:%d: %q is no class", s.file, n, class)
			}
		}
		got := l.Classify(text)
		for _, name := range claimNames {
			q.count(&q.claims, name, got.Claim.String() == name, claim == name)
		}
		for _, name := range classNames {
			if _, claims := claimOf(name); !claims || name == classBlameInput {
				q.count(&q.also, name, got.Is(name), slices.Contains(also, name))
			}
		}
		if further := furtherOf(got); s.tuned && (got.Claim.String() != claim || !slices.Equal(further, also)) {
			t.Logf("%s:%d: %q is %s %q; read as %s %q by %q", s.file, n, text, claim, also, got.Claim, further, got.Words)
		}
	}
	return q
}

// furtherOf are the classes of a result beside those of its claims, sorted.
func furtherOf(r Result) []string {
	further := slices.DeleteFunc(slices.Clone(r.Classes), func(name string) bool {
		_, claims := claimOf(name)
		return claims && name != classBlameInput
	})
	slices.Sort(further)
	return further
}

// TestQuality prints how well each set of messages is read, and fails when that drops.
func TestQuality(t *testing.T) {
	ls, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	var table, classes strings.Builder
	w, c := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0), tabwriter.NewWriter(&classes, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "precision/recall\tmessages\tall claims\t"+strings.Join(claimNames[:], "\t")+"\tfurther classes")
	for _, s := range sets() {
		q := measure(t, ls, s)
		fmt.Fprintf(w, "%s\t%d\t%s", s.file, q.rows, q.claims)
		for _, name := range claimNames {
			fmt.Fprintf(w, "\t%s", q.by[name])
		}
		fmt.Fprintf(w, "\t%s\n", q.also)
		fmt.Fprint(c, s.file)
		for _, name := range classNames {
			if one := q.by[name]; one != nil && one.right+one.alarms+one.missed > 0 {
				fmt.Fprintf(c, "\t%s %s", name, one)
			}
		}
		fmt.Fprintln(c)
		for _, floor := range []struct {
			what      string
			got, want int
		}{
			{"messages", q.rows, s.rows},
			{"precision of claims", q.claims.precision(), s.precision}, {"recall of claims", q.claims.recall(), s.recall},
			{"precision of success", q.by[classSuccess].precision(), s.successPrecision},
			{"precision of further classes", q.also.precision(), s.alsoPrecision}, {"recall of further classes", q.also.recall(), s.alsoRecall},
		} {
			if floor.got < floor.want {
				t.Errorf("%s: %s: %d; want at least %d", s.file, floor.what, floor.got, floor.want)
			}
		}
	}
	w.Flush()
	c.Flush()
	t.Logf("\n%s\n%s", &table, &classes)
}

func (c tally) String() string {
	return fmt.Sprintf("%d/%d of %d", c.precision(), c.recall(), c.right+c.missed)
}
