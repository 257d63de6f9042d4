package api

import (
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// Recordings serves files below a root to whoever has a token for them in the
// address, or the credentials of an API user. Wire it at "GET /recordings/{file...}".
type Recordings struct {
	Root   *os.Root
	Tokens *Tokens
	Access *Access
	Now    func() time.Time // nil = time.Now
}

// ServeHTTP implements http.Handler. A bad token and a missing file look the
// same: 404.
func (h *Recordings) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("Referrer-Policy", "no-referrer") // the token stands in the address
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	missing := &problem{Status: http.StatusNotFound, Detail: "there is no such recording, or the token is not good for it"}

	now := time.Now
	if h.Now != nil {
		now = h.Now
	}
	if token := r.URL.Query().Get("token"); token == "" || !h.Tokens.Good(file, token, now()) {
		_, _, basic := r.BasicAuth()
		if _, bearer := bearerOf(r); token != "" && !basic && !bearer {
			missing.write(w)
			return
		}
		if _, p := h.Access.enter(r, RecordingsRead); p != nil {
			p.write(w)
			return
		}
	}

	if strings.HasSuffix(file, ".part") { // still being written
		missing.write(w)
		return
	}
	f, err := h.Root.Open(file)
	if err != nil {
		missing.write(w)
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		missing.write(w)
		return
	}
	switch strings.ToLower(path.Ext(file)) {
	case ".wav":
		header.Set("Content-Type", "audio/wav")
	case ".mp3":
		header.Set("Content-Type", "audio/mpeg")
	default:
		header.Set("Content-Type", "application/octet-stream")
		header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(file)}))
	}
	http.ServeContent(w, r, "", st.ModTime(), f)
}
