package stores

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

const (
	sqlBytes   = 512 << 20 // read on one connection to a database
	redisBytes = 256 << 20 // read on one connection to Redis
	redisValue = 8 << 20   // bytes of one value of Redis
	redisItems = 1 << 20   // entries of one list of Redis
	redisLine  = 64 << 10  // bytes of a line of its protocol
)

var errTooLarge = errors.New("the answer is larger than a look may read")

// watcher checks bytes as they come, before the driver makes room for what they announce.
type watcher interface{ see(piece []byte) error }

// bounded is a connection on which no more is read than a look may read.
type bounded struct {
	net.Conn
	left  int64
	watch watcher
	wrong error
}

func (c *bounded) Read(p []byte) (int, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	n, err := c.Conn.Read(p)
	if c.left -= int64(n); c.left < 0 {
		c.wrong = errTooLarge
	} else if c.watch != nil {
		c.wrong = c.watch.see(p[:n])
	}
	if c.wrong != nil {
		return 0, c.wrong
	}
	return n, err
}

// dial makes a connection to a database that is bounded.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: connectTime}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &bounded{Conn: conn, left: sqlBytes}, nil
}

// resp follows the protocol of Redis as far as lengths: the driver makes room for as many bytes as a header announces,
// and a server may announce any number.
type resp struct {
	skip int64 // bytes of a value that are still to come, with its line end
	line []byte
}

func (r *resp) see(piece []byte) error {
	for len(piece) > 0 {
		if r.skip > 0 {
			n := min(r.skip, int64(len(piece)))
			r.skip -= n
			piece = piece[n:]
			continue
		}
		end := bytes.IndexByte(piece, '\n')
		if end < 0 {
			r.line = append(r.line, piece...)
		} else {
			r.line = append(r.line, piece[:end]...)
			piece = piece[end+1:]
		}
		if len(r.line) > redisLine {
			return fmt.Errorf("%w: a line of more than %d bytes", errTooLarge, redisLine)
		}
		if end < 0 {
			return nil
		}
		err := r.header(string(bytes.TrimSuffix(r.line, []byte("\r"))))
		r.line = r.line[:0]
		if err != nil {
			return err
		}
	}
	return nil
}

// header reads a line that may announce a length.
func (r *resp) header(line string) error {
	if line == "" {
		return errors.New("this is not the protocol of Redis: an empty line")
	}
	limit := int64(redisItems)
	switch line[0] {
	case '+', '-', ':':
		return nil
	case '$':
		limit = redisValue
	case '*':
	default:
		return fmt.Errorf("this is not the protocol of Redis: a line that begins with %q", line[0])
	}
	length, err := strconv.ParseInt(line[1:], 10, 64)
	switch {
	case err != nil || length < -1:
		return fmt.Errorf("this is not the protocol of Redis: a length of %.20q", line[1:])
	case length > limit:
		return fmt.Errorf("%w: one value of %d", errTooLarge, length)
	case line[0] == '$' && length >= 0:
		r.skip = length + 2
	}
	return nil
}
