package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/candor-chaos/candor/experiments"
)

// liveEvery is how often the screen is drawn.
const liveEvery = 200 * time.Millisecond

// live shows living runs on a terminal. The run goes on when the screen fails.
type live struct {
	runs    []*progress
	width   int
	colours bool
}

type drawAgain time.Time

func (l live) Init() tea.Cmd { return nextDraw() }

func nextDraw() tea.Cmd {
	return tea.Tick(liveEvery, func(t time.Time) tea.Msg { return drawAgain(t) })
}

func (l live) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		l.width = m.Width
	case drawAgain:
		for _, p := range l.runs {
			if !p.over() {
				return l, nextDraw()
			}
		}
		return l, tea.Quit
	}
	return l, nil
}

func (l live) View() tea.View {
	var b strings.Builder
	for _, p := range l.runs {
		b.WriteString(p.draw(min(max(l.width, 60), 110), l.colours, time.Now()))
	}
	return tea.NewView(b.String())
}

// showLive draws until all runs have ended or ctx does. Keys are left to the terminal, so that ^C reaches candor as the
// signal that it is.
func showLive(ctx context.Context, out io.Writer, colours bool, runs ...*progress) error {
	program := tea.NewProgram(live{runs: runs, width: 80, colours: colours}, tea.WithContext(ctx), tea.WithOutput(out),
		tea.WithInput(nil), tea.WithoutSignalHandler())
	_, err := program.Run()
	return err
}

func (p *progress) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// draw is the screen of one run: phases, a bar, faults in force, journeys with their rates and claims, the last notes.
func (p *progress) draw(width int, colours bool, now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	paint := func(s lipgloss.Style, text string) string {
		if !colours {
			return text
		}
		return s.Render(text)
	}
	bold, dim := lipgloss.NewStyle().Bold(true), lipgloss.NewStyle().Faint(true)
	red := lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color("9"))
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", paint(bold, p.plan.System+" · "+p.plan.Experiment), paint(dim, now.Sub(p.started).Round(time.Second).String()))
	fmt.Fprintf(&b, "  %s\n", p.phases(func(s string) string { return paint(bold, s) }, func(s string) string { return paint(dim, s) }))
	fmt.Fprintf(&b, "  %s\n", p.bar(width-4, now))
	for _, name := range slices.Sorted(maps.Keys(p.inForce)) {
		fmt.Fprintf(&b, "  %s\n", paint(red, fmt.Sprintf("IN FORCE %4s  %s  (%s)", now.Sub(p.inForce[name]).Round(time.Second), name, plural(int(p.hits[name]), "hit"))))
	}
	for _, name := range slices.Sorted(maps.Keys(p.journeys)) {
		t := p.journeys[name]
		fmt.Fprintf(&b, "  %-20s %6.1f/s  %5d requests  %4d failed   %s\n", name, t.rate(now), t.requests, t.failed, t.told())
	}
	for _, note := range p.notes[max(0, len(p.notes)-3):] {
		if runes := []rune(note); len(runes) > width-4 {
			note = string(runes[:width-5]) + "…"
		}
		fmt.Fprintf(&b, "  %s\n", paint(dim, note))
	}
	b.WriteString("\n")
	return b.String()
}

// told lists what users were told so far, in words.
func (t *traffic) told() string {
	var parts []string
	for _, c := range []experiments.Claim{experiments.ClaimSuccess, experiments.ClaimRefused, experiments.ClaimPending, experiments.ClaimUnknown, experiments.ClaimNone} {
		if n := t.claims[c]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c))
		}
	}
	return strings.Join(parts, " · ")
}

func (p *progress) phases(present, other func(string) string) string {
	var parts []string
	for _, phase := range []experiments.Phase{experiments.PhaseWarmup, experiments.PhaseBaseline, experiments.PhaseFault, experiments.PhaseRecovery, experiments.PhaseSettle} {
		if phase == p.phase {
			parts = append(parts, present("["+string(phase)+"]"))
		} else {
			parts = append(parts, other(string(phase)))
		}
	}
	return strings.Join(parts, " → ")
}

func (p *progress) bar(width int, now time.Time) string {
	planned := p.planned(p.phase)
	passed := now.Sub(p.since)
	if planned <= 0 || p.since.IsZero() {
		return strings.Repeat("·", width)
	}
	label := fmt.Sprintf(" %s of %s", passed.Round(time.Second), planned)
	cells := max(10, width-len(label))
	full := min(cells, int(float64(cells)*float64(passed)/float64(planned)))
	return strings.Repeat("█", full) + strings.Repeat("░", cells-full) + label
}
