package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	sessionCookie = "session"
	sessionTime   = 8 * time.Hour
)

// sealSession makes the token of a session: who, until when, and a seal that nobody makes without the key. Whoever has
// the key can tell who somebody is without asking accounts.
func sealSession(key, name string, ends time.Time) string {
	plain := base64.RawURLEncoding.EncodeToString([]byte(name)) + "." + strconv.FormatInt(ends.UnixMilli(), 10)
	return plain + "." + seal(key, plain)
}

func seal(key, plain string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(plain))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// openSession says whose a token is; empty for one that is over, or that nobody with the key has sealed.
func openSession(key, token string, now time.Time) string {
	at := strings.LastIndexByte(token, '.')
	if key == "" || at < 0 || !hmac.Equal([]byte(seal(key, token[:at])), []byte(token[at+1:])) {
		return ""
	}
	name, until, _ := strings.Cut(token[:at], ".")
	ends, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !now.Before(time.UnixMilli(ends)) {
		return ""
	}
	who, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil {
		return ""
	}
	return string(who)
}

// visitor is who is signed in; empty for everybody else.
func (s *web) visitor(r *http.Request) string {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return openSession(s.options.Key, cookie.Value, time.Now())
}
