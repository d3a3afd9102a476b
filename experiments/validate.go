package experiments

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Checked is a definition without a mistake.
type Checked struct {
	File string `json:"file"`
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Validate loads and compiles every definition in files and folders, and reports every mistake of all of them. Unlike
// Compile it also takes an exception whose day is over for a mistake.
func Validate(paths []string, o LoadOptions) ([]Checked, error) {
	errs := ErrorList{}
	var files []string
	for _, p := range paths {
		found, err := definitions(p)
		if err != nil {
			errs = append(errs, &Error{Pos: Pos{File: p, Line: 1, Col: 1}, Msg: "cannot be read: " + err.Error()})
		}
		files = append(files, found...)
	}
	if len(files) == 0 && len(errs) == 0 {
		errs = append(errs, &Error{Pos: Pos{File: strings.Join(paths, " "), Line: 1, Col: 1}, Msg: "no definition of " + Version + " here"})
	}
	checked := []Checked{}
	for _, file := range files {
		if c := validate(file, o, &errs); c != nil {
			checked = append(checked, *c)
		}
	}
	return checked, errs.Err()
}

// validate checks one file with all that it names, and gives nothing when there is a mistake in any of it.
func validate(file string, o LoadOptions, errs *ErrorList) *Checked {
	found := ErrorList{}
	c := &Checked{File: file}
	if s := readSource(file, &found); s != nil {
		c.Kind = s.kind
		if name := s.child(s.root, "name"); name != nil {
			c.Name = name.Value
		}
		validateKind(newLoader(o, &found), naming{file: file}, s.kind)
	}
	*errs = append(*errs, found...)
	if len(found) > 0 {
		return nil
	}
	return c
}

func validateKind(l *loader, n naming, kind string) {
	d := &Definitions{errs: l.errs}
	switch kind {
	case "Experiment":
		d = l.load(n.file)
		compile(d, l.options.Catalog)
		d.expired(time.Now())
	case "System":
		if d.System, d.system = read[System](l, n, kind); d.System != nil {
			l.itsStandards(d)
			newCompiler(d, l.options.Catalog).system()
		}
	case "Journey":
		j, s := read[Journey](l, n, kind)
		if j == nil {
			return
		}
		if l.system(d, s); d.System != nil {
			newCompiler(d, l.options.Catalog).bindJourney(j, s)
		}
	case "Standards":
		if d.Standards, d.standards = read[Standards](l, n, kind); d.Standards != nil {
			newCompiler(d, l.options.Catalog).checkStandards()
		}
	}
}

// expired reports exceptions whose day is over.
func (d *Definitions) expired(now time.Time) {
	if d.Experiment == nil {
		return
	}
	for i, e := range d.Experiment.Honesty.Allow {
		if !e.Until.IsZero() && !now.Before(e.Until.AddDate(0, 0, 1)) {
			d.experiment.on(index("honesty.allow", i)+".until", "", "the exception ended with %s and counts no longer", e.Until.Format(time.DateOnly))
		}
	}
}

// ours is what a definition says of itself, however it is quoted.
var ours = regexp.MustCompile(`apiVersion["']?\s*:\s*["']?candor/`)

// definitions lists the definitions in a folder, or the one file. A file that was named is looked at whatever it holds;
// in a folder only what says that it is ours.
func definitions(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && strings.HasPrefix(e.Name(), ".") && p != path {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(p); e.IsDir() || ext != ".yaml" && ext != ".yml" {
			return nil
		}
		is, err := isOurs(p)
		if is {
			files = append(files, p)
		}
		return err
	})
	return files, err
}

// isOurs reports whether a file says that it is a definition, as far as a definition may be long.
func isOurs(path string) (bool, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, sizeLimit))
	return ours.Match(data), err
}
