package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed templates
var files embed.FS

// page is what every HTML template is given: the style goes inline, and the policy lets in that style alone.
type page[V any] struct {
	Style  template.CSS
	Policy string
	V      V
}

func writeHTML(w io.Writer, run Run) error { return execute(w, "report.html", viewOf(run)) }

// execute renders one page whole before it writes any of it.
func execute[V any](w io.Writer, name string, v V) error {
	style, err := files.ReadFile("templates/report.css")
	if err != nil {
		return fmt.Errorf("read the style of the report: %w", err)
	}
	sum := sha256.Sum256(style)
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	t, err := template.New(name).Funcs(template.FuncMap{
		"grouped": grouped, "count": count, "clean": clean, "lower": strings.ToLower, "plus": func(a, b int) int { return a + b },
		"width": barWidth, "tone": toneWord,
	}).ParseFS(files, "templates/*.html")
	if err != nil {
		return fmt.Errorf("read the templates of the report: %w", err)
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, name, page[V]{template.CSS(style), policy, v}); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// barWidth is a share of a bar that is 1,000 units wide.
func barWidth(k, n int) float64 {
	if n <= 0 {
		return 0
	}
	return float64(k) * 1000 / float64(n)
}

// toneWord stands, in words, before a coloured box.
func toneWord(tone string) string {
	switch tone {
	case toneGood:
		return "✓"
	case toneBad:
		return "✗"
	case toneHole:
		return "?"
	}
	return "–"
}
