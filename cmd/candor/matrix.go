package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/report"
)

// line shows a row in one line.
func (r matrixRow) line() string {
	word := "right"
	if !r.right() {
		word = "WRONG"
	}
	if len(r.Must) == 0 {
		return fmt.Sprintf("%-10s %-5s  %s, %d of the shop's rules exercised, fired: %s", r.Name, word, r.Verdict, r.Exercised, orNone(r.Fired))
	}
	text := fmt.Sprintf("%-10s %-5s  found %d of %d told, fired: %s", r.Name, word, r.Found, r.Told, orNone(r.Fired))
	if len(r.Beyond) > 0 {
		text += "; not allowed: " + strings.Join(r.Beyond, " ")
	}
	return text
}

// printMatrix prints the table.
func printMatrix(g *global, rows []matrixRow) error {
	if g.json {
		return json.NewEncoder(g.out).Encode(rows)
	}
	right := 0
	for _, r := range rows {
		if r.right() {
			right++
		}
		if _, err := fmt.Fprintln(g.out, r.line()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(g.out, "%d of %d rows are right\n", right, len(rows))
	return err
}

// rowKeeper keeps finished rows in a file.
type rowKeeper struct {
	file string

	mu   sync.Mutex
	rows []matrixRow
}

func (k *rowKeeper) add(r matrixRow) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rows = append(k.rows, r)
	data, err := json.MarshalIndent(k.rows, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(k.file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(k.file, append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep a finished row: %w", err)
	}
	return nil
}

// keepRun copies a run's plan and its history, packed, with what the shop said it told, so that it can be judged again; no
// folder, no copy.
func keepRun(folder, name string, saved report.Run, told []tale) error {
	if folder == "" {
		return nil
	}
	own := filepath.Join(folder, folderOf(name))
	if err := os.MkdirAll(own, 0o755); err != nil {
		return fmt.Errorf("keep the run of %s: %w", name, err)
	}
	data, err := json.Marshal(told)
	if err == nil {
		err = os.WriteFile(filepath.Join(own, "told.json"), data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep the run of %s: %w", name, err)
	}
	from, err := history.OpenFolder(filepath.Join(history.Home(""), "runs", saved.Result.Run))
	if err != nil {
		return fmt.Errorf("keep the run of %s: %w", name, err)
	}
	for _, file := range []string{"plan.json", "history.jsonl"} {
		if err := pack(filepath.Join(from.Path(), file), filepath.Join(own, file+".gz")); err != nil {
			return fmt.Errorf("keep the run of %s: %w", name, err)
		}
	}
	return nil
}

// folderOf is the name of a row's folder.
func folderOf(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// pack writes a file compressed.
func pack(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	z, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, in); err != nil {
		return err
	}
	return z.Close()
}
