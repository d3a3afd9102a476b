package experiments

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"unicode/utf8"
)

// sizeLimit bounds a definition.
const sizeLimit = 4 << 20

// readDefinition reads a plain file of at most sizeLimit.
func readDefinition(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("no plain file")
	case info.Size() > sizeLimit:
		return nil, fmt.Errorf("longer than %d MiB", sizeLimit>>20)
	}
	return os.ReadFile(file)
}

// lineEnd is all that the YAML library takes for the end of a line.
var lineEnd = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// linesOf splits a file as its parser counts lines: a byte order mark is no part of the first.
func linesOf(data []byte) []string {
	return lineEnd.Split(string(bytes.TrimPrefix(data, []byte("\ufeff"))), -1)
}

// byteAt is the place of a byte.
func (s *source) byteAt(data []byte, at int) Pos {
	before := linesOf(data[:min(at, len(data))])
	return Pos{File: s.file, Line: len(before), Col: 1 + utf8.RuneCountInString(before[len(before)-1])}
}

// foreign is the first byte that is no UTF-8, or -1.
func foreign(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
	return -1
}
