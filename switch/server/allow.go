package server

import (
	"net/url"
	"slices"
	"strings"
)

// allowed are the rules of decisions 9: what the operator lists; in a switch
// that is on the net also public addresses, and every host that a URL of the
// configuration names, wherever it resolves to.
func (c *Config) allowed() []string {
	words := slices.Clone(c.Web.Allow)
	if c.dev {
		return words
	}
	words = append(words, "public")
	add := func(raw string) {
		if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
			words = append(words, strings.ToLower(u.Hostname()))
		}
	}
	for _, e := range c.Extensions {
		for _, u := range []string{e.URL, e.FallbackURL, e.ErrorURL, e.FinishedURL, e.SMSURL} {
			add(u)
		}
	}
	add(c.RoutingURL)
	add(c.CallChangedURL)
	return words
}
