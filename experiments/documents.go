package experiments

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// documents are the kinds of definition and the struct that each fills.
func documents() map[string]reflect.Type {
	return map[string]reflect.Type{
		"System":     reflect.TypeFor[System](),
		"Journey":    reflect.TypeFor[Journey](),
		"Experiment": reflect.TypeFor[Experiment](),
		"Standards":  reflect.TypeFor[Standards](),
	}
}

func kindNames() []string { return slices.Sorted(maps.Keys(documents())) }

// LoadOptions say where things are.
type LoadOptions struct {
	System  string // file of kind System; looked for upwards from the experiment as candor.yaml when empty
	Catalog Catalog
}

// systemFile is how a file of kind System is called where nobody names it.
const systemFile = "candor.yaml"

// Definitions are an experiment and everything that it names, loaded.
type Definitions struct {
	System     *System
	Standards  *Standards // nil: the defaults
	Experiment *Experiment
	Journeys   []*Journey // in the order of Experiment.Journeys

	system, standards, experiment *source
	journeys                      []*source
	errs                          *ErrorList
}

// Root is the folder of the system's file.
func (d *Definitions) Root() string {
	if d.system == nil {
		return ""
	}
	return filepath.Dir(d.system.file)
}

// Load reads an experiment and everything that it names. Every mistake of every file comes back at once, as an ErrorList.
func Load(path string, o LoadOptions) (*Definitions, error) {
	errs := ErrorList{}
	l := loader{options: o, errs: &errs, journeys: map[string]loadedJourney{}}
	d := l.load(path)
	return d, errs.Err()
}

// loader reads files, each once.
type loader struct {
	options  LoadOptions
	errs     *ErrorList
	journeys map[string]loadedJourney
}

type loadedJourney struct {
	journey *Journey
	source  *source
}

func (l *loader) load(path string) *Definitions {
	d := &Definitions{errs: l.errs}
	d.Experiment, d.experiment = read[Experiment](l, path, "Experiment")
	if d.Experiment == nil {
		return d
	}
	for i, use := range d.Experiment.Journeys {
		at := index("journeys", i) + ".use"
		j := l.journey(d.experiment, at, beside(path, use.Use))
		d.Journeys, d.journeys = append(d.Journeys, j.journey), append(d.journeys, j.source)
	}
	system := l.options.System
	if system == "" {
		system = upwards(filepath.Dir(path))
	}
	if system == "" {
		d.experiment.on("", "make one, or name it with --system", "no %s here or in any folder above", systemFile)
		return d
	}
	d.System, d.system = read[System](l, system, "System")
	if d.System != nil && d.System.Standards != "" {
		file := beside(system, d.System.Standards)
		if _, err := os.Stat(file); err != nil {
			d.system.on("standards", "", "no file %q", d.System.Standards)
		} else {
			d.Standards, d.standards = read[Standards](l, file, "Standards")
		}
	}
	return d
}

func (l *loader) journey(from *source, at, file string) loadedJourney {
	if known, done := l.journeys[file]; done {
		return known
	}
	if _, err := os.Stat(file); err != nil {
		from.on(at, nearFile(file), "no file %q", file)
		return loadedJourney{}
	}
	j, s := read[Journey](l, file, "Journey")
	l.journeys[file] = loadedJourney{j, s}
	return l.journeys[file]
}

// read reads a file of one kind.
func read[T any](l *loader, file, kind string) (*T, *source) {
	s := readSource(file, l.errs)
	if s == nil {
		return nil, nil
	}
	if s.kind != kind {
		s.on("kind", "", "is of kind %s, and a %s is wanted here", s.kind, kind)
		return nil, s
	}
	value := new(T)
	d := decoder{source: s, catalog: l.options.Catalog}
	if kind == "Journey" {
		d.surface = d.chosenSurface()
	}
	d.structure(s.root, reflect.ValueOf(value).Elem(), "", "apiVersion", "kind")
	return value, s
}

// chosenSurface reads ahead which surface a journey's steps act on.
func (d *decoder) chosenSurface() string {
	n := d.child(d.root, "surface")
	if n == nil {
		return ""
	}
	var names []string
	for _, k := range d.catalog.Surfaces {
		names = append(names, k.Name)
	}
	if !slices.Contains(names, n.Value) {
		d.at(n, "surface", suggest(n.Value, names), "unknown surface %q", n.Value)
	}
	return n.Value
}

// beside is a path that a file names, seen from that file.
func beside(file, named string) string {
	if filepath.IsAbs(named) {
		return named
	}
	return filepath.Join(filepath.Dir(file), named)
}

// nearFile is a hint at a file whose name is nearly the one that was given.
func nearFile(file string) string {
	var names []string
	all, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return ""
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	if hint := suggest(filepath.Base(file), names); strings.HasPrefix(hint, "did you mean") {
		return hint
	}
	return ""
}

// upwards finds the system's file in a folder or the nearest above it.
func upwards(folder string) string {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return ""
	}
	for {
		file := filepath.Join(folder, systemFile)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
		above := filepath.Dir(folder)
		if above == folder {
			return ""
		}
		folder = above
	}
}

// Checked is a definition without a mistake.
type Checked struct {
	File string `json:"file"`
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Validate loads and compiles every definition in files and folders, and reports every mistake of all of them.
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

// validate checks one file; an experiment with all that it names.
func validate(file string, o LoadOptions, errs *ErrorList) *Checked {
	found := ErrorList{}
	s := readSource(file, &found)
	c := &Checked{File: file}
	if s != nil {
		c.Kind = s.kind
		if name := s.child(s.root, "name"); name != nil {
			c.Name = name.Value
		}
		l := loader{options: o, errs: &found, journeys: map[string]loadedJourney{}}
		switch s.kind {
		case "Experiment":
			d := l.load(file)
			if len(found) == 0 {
				compile(d, o.Catalog)
			}
		case "System":
			read[System](&l, file, s.kind)
		case "Journey":
			if j, at := read[Journey](&l, file, s.kind); j != nil {
				checkJourney(j, at)
			}
		case "Standards":
			if t, at := read[Standards](&l, file, s.kind); t != nil {
				checkStandards(t, at)
			}
		}
	}
	*errs = append(*errs, found...)
	if len(found) > 0 {
		return nil
	}
	return c
}

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
		data, err := os.ReadFile(p)
		if err == nil && strings.Contains(string(data), "apiVersion: candor/") {
			files = append(files, p)
		}
		return err
	})
	return files, err
}
