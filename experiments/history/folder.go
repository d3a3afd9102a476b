package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/candor-chaos/candor/experiments"
)

// Folder is where one run lies.
type Folder struct{ path string }

// Home is the folder .candor beside a system's candor.yaml, or in the working directory where root is empty.
func Home(root string) string { return filepath.Join(root, ".candor") }

// Path is where the folder of a run is, or will be.
func Path(home, run string) string { return filepath.Join(home, "runs", run) }

// NewFolder makes the folder of a run. The first run also tells git to leave the home alone.
func NewFolder(home, run string) (Folder, error) {
	f := Folder{path: Path(home, run)}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return f, fmt.Errorf("make a place for runs: %w", err)
	}
	ignore, err := os.OpenFile(filepath.Join(home, ".gitignore"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = ignore.WriteString("*\n")
		err = errors.Join(err, ignore.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return f, fmt.Errorf("make a place for runs: %w", err)
	}
	if err := os.Mkdir(f.path, 0o755); err != nil {
		return f, fmt.Errorf("make the run's folder: %w", err)
	}
	return f, nil
}

// OpenFolder finds a saved run: a folder, or the name of one below .candor/runs of the working directory.
func OpenFolder(name string) (Folder, error) {
	for _, path := range []string{name, filepath.Join(Home(""), "runs", name)} {
		if _, err := os.Stat(filepath.Join(path, "history.jsonl")); err == nil {
			return Folder{path: path}, nil
		}
	}
	return Folder{}, fmt.Errorf("no run %q: neither a folder with a history.jsonl nor a name below %s", name, filepath.Join(Home(""), "runs"))
}

// Path is the folder's path.
func (f Folder) Path() string { return f.path }

// History is the path of the run's history.
func (f Folder) History() string { return filepath.Join(f.path, "history.jsonl") }

// SavePlan writes the plan and returns its SHA-256, which the history's head carries.
func (f Folder) SavePlan(p *experiments.Plan) (string, error) {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return "", fmt.Errorf("save the plan: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), f.write("plan.json", data)
}

// LoadPlan reads the plan back: enough to judge, not to run.
func (f Folder) LoadPlan() (experiments.Plan, error) {
	var p experiments.Plan
	err := f.load("plan.json", &p)
	return p, err
}

// SaveResult writes the result.
func (f Folder) SaveResult(r experiments.Result) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("save the result: %w", err)
	}
	return f.write("result.json", append(data, '\n'))
}

// LoadResult reads the result back.
func (f Folder) LoadResult() (experiments.Result, error) {
	var r experiments.Result
	err := f.load("result.json", &r)
	return r, err
}

func (f Folder) load(name string, into any) error {
	data, err := os.ReadFile(filepath.Join(f.path, name))
	if err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("load %s: %w", filepath.Join(f.path, name), err)
	}
	return nil
}

// write puts a whole file in place at once: a reader sees the old one or the new one.
func (f Folder) write(name string, data []byte) error {
	temporary, err := os.CreateTemp(f.path, "."+name+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = temporary.Write(data)
	if err == nil {
		err = temporary.Sync()
	}
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), filepath.Join(f.path, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(temporary.Name()))
	}
	return syncFolder(f.path)
}

// syncFolder makes new names in a folder last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync the run's folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync the run's folder: %w", err)
	}
	return nil
}
