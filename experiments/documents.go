package experiments

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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

// Root is the folder of the system's file, absolute.
func (d *Definitions) Root() string {
	if d.system == nil {
		return ""
	}
	root, err := filepath.Abs(filepath.Dir(d.system.file))
	if err != nil {
		return filepath.Dir(d.system.file)
	}
	return root
}

// Load reads an experiment and everything that it names. Every mistake of every file comes back at once, as an ErrorList;
// the definitions are there all the same, so that Compile can add to the list.
func Load(path string, o LoadOptions) (*Definitions, error) {
	errs := ErrorList{}
	d := newLoader(o, &errs).load(path)
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

func newLoader(o LoadOptions, errs *ErrorList) *loader {
	return &loader{options: o, errs: errs, journeys: map[string]loadedJourney{}}
}

func (l *loader) load(path string) *Definitions {
	d := &Definitions{errs: l.errs}
	d.Experiment, d.experiment = read[Experiment](l, naming{file: path}, "Experiment")
	if d.Experiment == nil {
		return d
	}
	for i, use := range d.Experiment.Journeys {
		j := l.journey(naming{beside(path, use.Use), d.experiment, index("journeys", i) + ".use", use.Use})
		d.Journeys, d.journeys = append(d.Journeys, j.journey), append(d.journeys, j.source)
	}
	if book := d.Experiment.Runbook; book != "" {
		if _, err := os.Stat(beside(path, book)); err != nil {
			d.experiment.on("runbook", nearFile(beside(path, book)), "no file %q", book)
		}
	}
	l.system(d, d.experiment)
	return d
}

// system adds the system that a definition belongs to, with its standards.
func (l *loader) system(d *Definitions, of *source) {
	file := l.options.System
	if file == "" {
		file = upwards(filepath.Dir(of.file))
	}
	if file == "" {
		of.on("", "make one, or name it with --system", "no %s here or in any folder above", systemFile)
		return
	}
	d.System, d.system = read[System](l, naming{file: file}, "System")
	l.itsStandards(d)
}

func (l *loader) itsStandards(d *Definitions) {
	if d.System != nil && d.System.Standards != "" {
		d.Standards, d.standards = read[Standards](l, naming{beside(d.system.file, d.System.Standards), d.system, "standards", d.System.Standards}, "Standards")
	}
}

func (l *loader) journey(n naming) loadedJourney {
	known, done := l.journeys[n.file]
	if !done {
		known.journey, known.source = read[Journey](l, n, "Journey")
		l.journeys[n.file] = known
	}
	return known
}

// naming is a file and where it is named: in a definition, with a path in it and the name as it is written; or nowhere,
// for a file that the user named.
type naming struct {
	file    string
	from    *source
	at      string
	written string
}

// read reads a file of one kind. A file that is not there, or is of another kind, is the mistake of who names it.
func read[T any](l *loader, n naming, kind string) (*T, *source) {
	if n.from != nil {
		if info, err := os.Stat(n.file); err != nil || info.IsDir() {
			if n.written != "" {
				n.from.on(n.at, nearFile(n.file), "no file %q", n.written)
			}
			return nil, nil
		}
	}
	s := readSource(n.file, l.errs)
	switch {
	case s == nil:
		return nil, nil
	case s.kind != kind && n.from != nil:
		n.from.on(n.at, "", "%q is of kind %s, and a %s is wanted here", n.written, s.kind, kind)
		return nil, nil
	case s.kind != kind:
		s.at(s.child(s.root, "kind"), "kind", "", "a definition of kind %s is wanted here, and this is %q", kind, s.kind)
		return nil, nil
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
	return near(filepath.Base(file), names)
}

// upwards finds the system's file in a folder or the nearest above it, and names it as the folder was named: relative to
// where candor runs, or absolute.
func upwards(folder string) string {
	here, err := filepath.Abs(".")
	if err != nil || filepath.IsAbs(folder) {
		here = ""
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return ""
	}
	for {
		file := filepath.Join(folder, systemFile)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			if named, err := filepath.Rel(here, file); err == nil && here != "" {
				return named
			}
			return file
		}
		above := filepath.Dir(folder)
		if above == folder {
			return ""
		}
		folder = above
	}
}
