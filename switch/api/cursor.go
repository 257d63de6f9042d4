package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ozswitch/switch/store"
)

// A cursor names the last row of a page. What comes before it later does not move
// the next page. To clients it is a text without a meaning.

func cursorOf(p store.CallPlace) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.Started.UnixNano(), 10) + " " + p.ID))
}

func placeOf(cursor string) (p store.CallPlace, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	at, id, found := strings.Cut(string(b), " ")
	ns, nerr := strconv.ParseInt(at, 10, 64)
	return store.CallPlace{Started: time.Unix(0, ns), ID: id}, err == nil && nerr == nil && found && id != ""
}

// Pages is the query of a list that is an array: without limit it is all of it.
type Pages struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" doc:"at most so many; without it all"`
	Cursor string `query:"cursor" doc:"where to go on: that of the Link header of the page before"`
}

// paged is a page of an array.
type paged[T any] struct {
	Link string `header:"Link" doc:"the next page, rel=next (RFC 8288); absent on the last"`
	Body []T
}

// pageOf gives the page of all that q asks for; key names a row.
func pageOf[T any](path string, all []T, q *Pages, key func(T) string) (*paged[T], error) {
	out := &paged[T]{Body: append([]T{}, all...)}
	if q.Cursor != "" {
		b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
		at := slices.IndexFunc(out.Body, func(v T) bool { return key(v) == string(b) })
		switch {
		case err != nil:
			return nil, badRequest("cursor: this is none of ours: take that of the Link header of the page before")
		case at < 0:
			return nil, &problem{Status: http.StatusGone, Detail: "the list has changed, and where the page before ended is gone: begin again"}
		}
		out.Body = out.Body[at+1:]
	}
	if q.Limit > 0 && len(out.Body) > q.Limit {
		out.Body = out.Body[:q.Limit]
		next := base64.RawURLEncoding.EncodeToString([]byte(key(out.Body[q.Limit-1])))
		out.Link = fmt.Sprintf(`<%s?limit=%d&cursor=%s>; rel="next"`, path, q.Limit, url.QueryEscape(next))
	}
	return out, nil
}
