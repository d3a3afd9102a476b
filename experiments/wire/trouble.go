package wire

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// The names of what can come instead of an answer.
const (
	Timeout   = "timeout"
	Refused   = "refused"
	Reset     = "reset"
	Closed    = "closed"
	DNS       = "dns"
	TLS       = "tls"
	TooLarge  = "too-large"
	Malformed = "malformed"
	Other     = "other"
)

// Trouble names an error of a connection. met says that the other side had sent something: what then fails without a
// type of its own was not understood.
func Trouble(err error, met bool) string {
	var resolve *net.DNSError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &resolve):
		return DNS
	case isTimeout(err):
		return Timeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ECONNRESET):
		return Reset
	case isTLS(err):
		return TLS
	case isMalformed(err):
		return Malformed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.EPIPE):
		return Closed
	case met:
		return Malformed
	}
	return Other
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &network) && network.Timeout()
}

func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var verify *tls.CertificateVerificationError
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &verify) || errors.As(err, &host) ||
		errors.As(err, &authority) || errors.As(err, &invalid)
}

func isMalformed(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}

// Blind reports whether an error says nothing about the other side: this machine could not try, or was told to stop.
func Blind(err error) bool {
	var resolve *net.DNSError
	if errors.As(err, &resolve) {
		return !resolve.IsNotFound
	}
	for _, own := range []error{context.Canceled, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS,
		syscall.EADDRNOTAVAIL, syscall.EPERM, syscall.EACCES} {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}
