package demo

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

//go:embed project lies.yaml lies_pages.yaml
var projectFiles embed.FS

// Addresses are where a running shop is reached from this machine.
type Addresses struct {
	Web          string // URL
	Catalog      string
	PaymentAdmin string // URL of the ledger
	AccountAdmin string // URL of what accounts shows operators
	Status       string // URL of the status page
	OrdersDB     string // sqlite:… or postgres://…, past everything that candor breaks
}

// Write writes a project folder for a running shop: its System, Standards, journeys and experiments, ready for candor.
// Files that are there are replaced; others are left alone.
func (i Instance) Write(dir string, a Addresses) error {
	needs, database := "", ""
	if i.Postgres != "" {
		needs, database = ", needs: [orders-db]", "\n  orders-db: {tier: critical, owner: orders, port: 5432}"
	}
	runtime, services, err := i.runtime()
	if err != nil {
		return err
	}
	values := strings.NewReplacer(append(services, "${RUNTIME}", runtime, "${ORDERS_NEEDS}", needs, "${ORDERS_DB_SERVICE}", database,
		"${PROJECT}", i.Project, "${WEB}", a.Web, "${PAYMENTS_ADMIN}", a.PaymentAdmin, "${ACCOUNTS_ADMIN}", a.AccountAdmin, "${ORDERS_DB}", a.OrdersDB, "${STATUS}", a.Status, "${CANARY}", i.Canary,
		"${FEEDBACK}", i.deadline(time.Second), "${EXPLANATION}", i.deadline(20*time.Second), "${FINAL}", i.deadline(60*time.Second),
		"${RECOVERY}", i.deadline(100*time.Second), "${SWEEP}", i.deadline(100*time.Second),
		"${LIE}", i.deadline(100*time.Second), "${NOTICE}", i.deadline(100*time.Second), "${CLEAR}", i.deadline(100*time.Second),
	)...)
	return fs.WalkDir(projectFiles, "project", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := projectFiles.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, strings.TrimPrefix(path, "project/"))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("write the project: %w", err)
		}
		if err := os.WriteFile(target, []byte(values.Replace(string(data))), 0o644); err != nil {
			return fmt.Errorf("write the project: %w", err)
		}
		return nil
	})
}

func (i Instance) deadline(d time.Duration) string { return Options{Speed: i.Speed}.paced(d).String() }

// Lie is what lies.yaml says of one lie.
type Lie struct {
	ID         string         `yaml:"id"`
	Experiment string         `yaml:"experiment"` // in which it can be told
	Does       string         `yaml:"does"`
	Alone      bool           `yaml:"alone"` // planted beside others it would hide them, or be hidden
	Must       []string       `yaml:"must"`  // rules that fire
	May        []AllowedExtra `yaml:"may"`   // rules that may fire too, at most three
}

// AllowedExtra is a rule that a lie breaks beside its own, and why.
type AllowedExtra struct {
	Rule    string `yaml:"rule"`
	Because string `yaml:"because"`
}

// Lies lists what the shop can lie about to programs and people alike, from lies.yaml.
func Lies() ([]Lie, error) { return readLies("lies.yaml") }

// PageLies lists what it can lie about to people in a browser, from lies_pages.yaml.
func PageLies() ([]Lie, error) { return readLies("lies_pages.yaml") }

func readLies(name string) ([]Lie, error) {
	data, err := projectFiles.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var lies []Lie
	if err := yaml.Load(data, &lies, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for _, l := range lies {
		if lieByID(l.ID) == nil {
			errs = append(errs, fmt.Errorf("%s: the shop cannot tell %s", name, l.ID))
		}
		if len(l.May) > 3 {
			errs = append(errs, fmt.Errorf("%s: %s may break %d further rules; at most three", name, l.ID, len(l.May)))
		}
	}
	return lies, errors.Join(errs...)
}
