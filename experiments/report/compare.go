package report

import (
	"cmp"
	"io"
)

// comparison is several runs side by side, experiment by experiment.
type comparison struct {
	Title  string
	Rows   []comparedRow
	Differ string
}

type comparedRow struct {
	Title, Experiment, Hypothesis string
	Runs                          []comparedRun
}

type comparedRun struct {
	view
	Link string
}

// Compare writes one page that shows runs side by side: a row for each experiment, in the order of its first run, and in
// it the runs in the order given.
func Compare(w io.Writer, runs []Run) error {
	c := comparison{Title: "The same faults, side by side"}
	at := map[string]int{}
	for _, run := range runs {
		v := viewOf(run)
		i, known := at[v.Experiment]
		if !known {
			i = len(c.Rows)
			at[v.Experiment] = i
			c.Rows = append(c.Rows, comparedRow{Title: v.Title, Experiment: v.Experiment, Hypothesis: v.Hypothesis})
		}
		c.Rows[i].Runs = append(c.Rows[i].Runs, comparedRun{v, cmp.Or(run.Link, run.Result.Run+"/report.html")})
	}
	return execute(w, "compare.html", c)
}
