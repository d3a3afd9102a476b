package browser

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/network"

	"github.com/candor-chaos/candor/experiments/wire"
)

func textual(mime string) bool {
	return strings.HasPrefix(mime, "text/") || strings.Contains(mime, "json") || strings.Contains(mime, "xml") || mime == "application/javascript"
}

func clipURL(address string) string {
	return strings.ToValidUTF8(address[:min(len(address), 4000)], "")
}

// requestHeaders keeps what a request said, but not what proves who somebody is.
func requestHeaders(headers network.Headers) map[string]string {
	kept := map[string]string{}
	for name, value := range headers {
		name = http.CanonicalHeaderKey(name)
		if name != "Cookie" && name != "Authorization" && name != "Proxy-Authorization" {
			kept[name] = clip(text(value), 1000)
		}
	}
	return kept
}

func responseHeaders(headers network.Headers) map[string][]string {
	kept, room := map[string][]string{}, mostHeaders
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		canonical := http.CanonicalHeaderKey(name)
		if canonical == "Set-Cookie" {
			continue
		}
		for value := range strings.SplitSeq(text(headers[name]), "\n") {
			if room -= len(name) + len(value); room < 0 {
				return kept
			}
			kept[canonical] = append(kept[canonical], strings.ToValidUTF8(value, "\uFFFD"))
		}
	}
	return kept
}

func text(value any) string {
	if s, is := value.(string); is {
		return s
	}
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(data)
}

// trouble puts an error of the browser's network into the words of all others.
func trouble(text string) string {
	for part, name := range map[string]string{"CONNECTION_REFUSED": wire.Refused, "CONNECTION_RESET": wire.Reset, "CONNECTION_CLOSED": wire.Closed,
		"EMPTY_RESPONSE": wire.Closed, "NAME_NOT_RESOLVED": wire.DNS, "TIMED_OUT": wire.Timeout, "CERT": wire.TLS, "SSL": wire.TLS,
		"INVALID": wire.Malformed, "CONTENT_LENGTH_MISMATCH": wire.Closed, "INCOMPLETE_CHUNKED": wire.Closed} {
		if strings.Contains(text, part) {
			return name
		}
	}
	return wire.Other
}
