package agent

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Where the messages of HTTP/1.1 end, found while their bytes pass: nothing is held for it, and nothing is changed.

// stage is where in a message a stream is.
type stage int

const (
	inHead    stage = iota
	inBody          // left bytes to come
	inSize          // the line with the size of a chunk
	inChunk         // left bytes to come, and the end of their line
	inTrailer       // lines after the last chunk, until an empty one
	untilEnd        // as long as the connection lasts
)

// What take has come to.
type event int

const (
	goesOn event = iota
	headEnded
	messageEnded
)

// Lengths of a body that are no number of bytes.
const (
	chunked int64 = -1
	endless int64 = -2
)

// errNotHTTP means that a stream is not, or no longer, messages of HTTP/1.1 that we can tell apart.
var errNotHTTP = errors.New("this is not HTTP/1.1")

// sizeLimit bounds the line with the size of a chunk, which may say more than that.
const sizeLimit = 4 << 10

// frames follows one direction of a connection.
type frames struct {
	stage stage
	head  []byte // of the message that goes on
	left  int64
	line  []byte // the line that goes on
}

// started reports whether something of a message has come.
func (f *frames) started() bool { return f.stage != inHead || len(f.head) > 0 }

// take says how many of the bytes belong to what goes on, and what ended with the last of them. After a head the caller
// has to begin the body.
func (f *frames) take(p []byte) (n int, what event, err error) {
	switch f.stage {
	case inHead:
		return f.takeHead(p)
	case inBody:
		n = int(min(f.left, int64(len(p))))
		if f.left -= int64(n); f.left == 0 {
			return n, f.end(), nil
		}
		return n, goesOn, nil
	case inChunk:
		n = int(min(f.left, int64(len(p))))
		if f.left -= int64(n); f.left == 0 {
			f.stage = inSize
		}
		return n, goesOn, nil
	case inSize, inTrailer:
		return f.takeLine(p)
	}
	return len(p), goesOn, nil
}

// takeHead takes until an empty line.
func (f *frames) takeHead(p []byte) (int, event, error) {
	from := len(f.head)
	f.head = append(f.head, p...)
	for i := from; i < len(f.head); i++ {
		if f.head[i] != '\n' {
			continue
		}
		if before := bytes.TrimSuffix(f.head[:i], []byte("\r")); bytes.HasSuffix(before, []byte("\n")) {
			f.head = f.head[:i+1]
			return i + 1 - from, headEnded, nil
		}
	}
	if len(f.head) > headLimit {
		return 0, goesOn, errNotHTTP
	}
	return len(p), goesOn, nil
}

// takeLine takes the size of a chunk, or a line of the trailer.
func (f *frames) takeLine(p []byte) (int, event, error) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		f.line = append(f.line, p...)
		if len(f.line) > headLimit || f.stage == inSize && len(f.line) > sizeLimit {
			return 0, goesOn, errNotHTTP
		}
		return len(p), goesOn, nil
	}
	line := string(bytes.TrimSuffix(append(f.line, p[:i]...), []byte("\r")))
	f.line = nil
	if f.stage == inTrailer {
		if line == "" {
			return i + 1, f.end(), nil
		}
		return i + 1, goesOn, nil
	}
	digits, _, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 62)
	if err != nil {
		return 0, goesOn, errNotHTTP
	}
	f.stage = inTrailer
	if size > 0 {
		f.stage, f.left = inChunk, int64(size)+2 // chunks end with CR LF: what ends otherwise is met at the next size
	}
	return i + 1, goesOn, nil
}

// begin goes on with the body after a head, and reports whether the message has none.
func (f *frames) begin(length int64) (over bool) {
	switch {
	case length == chunked:
		f.stage = inSize
	case length == endless:
		f.stage = untilEnd
	case length > 0:
		f.stage, f.left = inBody, length
	default:
		f.end()
		return true
	}
	return false
}

func (f *frames) end() event {
	f.stage, f.head, f.left, f.line = inHead, nil, 0, nil
	return messageEnded
}

// plausible reports whether the beginning of a request may still become one of HTTP/1: other protocols must not be made
// to wait for the end of a head that never comes.
func plausible(head []byte) bool {
	line, _, whole := bytes.Cut(head, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	for i, b := range line {
		if b == ' ' && i > 0 {
			break
		}
		if b < 'A' || b > 'Z' || i >= methodLimit {
			return false
		}
	}
	if bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	return !whole || bytes.HasSuffix(line, []byte(" HTTP/1.1")) || bytes.HasSuffix(line, []byte(" HTTP/1.0"))
}

// readRequest reads a whole head of a request, and how long its body is.
func readRequest(head []byte) (*http.Request, int64, error) {
	r, err := http.ReadRequest(bufio.NewReaderSize(bytes.NewReader(head), len(head)))
	if err != nil || r.ProtoMajor != 1 {
		return nil, 0, errNotHTTP
	}
	if len(r.TransferEncoding) > 0 {
		return r, chunked, nil
	}
	return r, max(0, r.ContentLength), nil
}

// readResponse reads a whole head of an answer to a method, and how long its body is.
func readResponse(head []byte, method string) (*http.Response, int64, error) {
	r, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(head), len(head)), &http.Request{Method: method})
	if err != nil || r.ProtoMajor != 1 {
		return nil, 0, errNotHTTP
	}
	switch {
	case method == http.MethodHead, r.StatusCode < 200, r.StatusCode == http.StatusNoContent, r.StatusCode == http.StatusNotModified:
		return r, 0, nil
	case len(r.TransferEncoding) > 0:
		return r, chunked, nil
	case r.ContentLength >= 0:
		return r, r.ContentLength, nil
	}
	return r, endless, nil
}
