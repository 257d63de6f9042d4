//go:build peers

package peers

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const matrixExtensions = `  - {number: "1001", type: phone, password: ` + deskPassword + `, name: Ann}
  - {number: "1002", type: phone, password: ` + deskPassword + `, name: Bob}
  - {number: "1003", type: phone, password: ` + deskPassword + `, name: Cleo}
users:
  - {name: HTTP_User_1, password: orange-lantern, api: true, admin: true}
`

// TestMatrix: telephones of several makes do with each other what an office
// does. Ann has the make under test, Bob and Cleo have baresip; everybody is
// known by a tone.
func TestMatrix(t *testing.T) {
	need(t, "sox", "baresip")
	for _, make := range []struct {
		name string
		need string
		new  func(t *testing.T, n *node, user string, hertz int) party
	}{
		{"baresip", "baresip", func(t *testing.T, n *node, u string, h int) party { return newDeskParty(t, n, u, h) }},
		{"linphone", "linphonec", func(t *testing.T, n *node, u string, h int) party { return newSoftParty(t, n, u, h) }},
		{"jssip", "chromium", func(t *testing.T, n *node, u string, h int) party { return newPageParty(t, n, u, h) }},
	} {
		t.Run(make.name, func(t *testing.T) {
			need(t, make.need)
			n := serveGuests(t, "none", "http://127.0.0.1:9/", matrixExtensions)
			ann := make.new(t, n, "1001", tone1001)
			bob := newDeskParty(t, n, "1002", tone1002)
			cleo := newDeskParty(t, n, "1003", tone1003)
			matrix(t, n, ann, bob, cleo)
			leave(ann, bob, cleo)
			n.close(t)
		})
	}
}

// get reads something of /v1 as the user of the tests.
func (n *node) get(t *testing.T, path string, into any) {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+n.http+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("HTTP_User_1", "orange-lantern")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
}

// live gives the id of the only call that is up.
func (n *node) live(t *testing.T) (id string) {
	t.Helper()
	eventually(t, "one call is up", func() bool {
		var calls struct{ Live []struct{ ID string } }
		n.get(t, "/v1/calls", &calls)
		if len(calls.Live) == 1 {
			id = calls.Live[0].ID
		}
		return id != ""
	})
	return id
}

// record has the call that is up recorded, by the HTTP API, and waits until two
// seconds of it are.
func (n *node) record(t *testing.T) {
	t.Helper()
	answer := ask(t, "http://"+n.http+"/api?command=Record&Username=HTTP_User_1&Password=orange-lantern&Format=wav&CallId="+n.live(t), nil)
	if !strings.Contains(answer, "<Code>200</Code>") {
		t.Fatalf("Record: %s", answer)
	}
	eventually(t, "two seconds are recorded", func() bool {
		parts, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*.part"))
		if len(parts) == 0 {
			return false
		}
		i, err := os.Stat(parts[0])
		return err == nil && i.Size() > 2*16000
	})
}

// recorded wants one recording whose middle has nothing but the tones, and takes it
// away.
func (n *node) recorded(t *testing.T, hertz ...int) {
	t.Helper()
	var files []string
	eventually(t, "the recording is whole", func() bool {
		files, _ = filepath.Glob(filepath.Join(n.data, "recordings", "*.wav"))
		parts, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*.part"))
		return len(files) == 1 && len(parts) == 0
	})
	middle := filepath.Join(t.TempDir(), "middle.wav")
	run(t, ".", "sox", files[0], "-c", "1", middle, "trim", "1", "0.5")
	sum := 0.0
	for _, h := range hertz {
		part, _ := share(middle, float64(h))
		if part < 0.2 {
			t.Errorf("%d Hz is to %.2f in the recording", h, part)
		}
		sum += part
	}
	t.Logf("the tones are %.2f of the recording", sum)
	if sum < 0.8 {
		t.Errorf("the tones are only %.2f of the recording", sum)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Error(err)
	}
}

// leave ends telephones while their switch is still there, all at once.
func leave(all ...party) {
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() { p.stop() })
	}
	wg.Wait()
}

// matrix is the cells of one make.
func matrix(t *testing.T, n *node, ann party, bob, cleo *deskParty) {
	up := func(t *testing.T) {
		t.Helper()
		ann.dial("1002")
		bob.rings()
		bob.answer()
		bob.talks()
		ann.talks()
		bob.hears(tone1001)
		ann.hears(tone1002)
	}
	down := func() {
		ann.hangup()
		bob.idle()
		ann.idle()
	}
	for _, cell := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"calls and hangs up", func(t *testing.T) { up(t); down() }},
		{"is called, and the caller hangs up", func(t *testing.T) {
			bob.dial("1001")
			ann.rings()
			ann.answer()
			ann.talks()
			bob.talks()
			ann.hears(tone1002)
			bob.hears(tone1001)
			bob.hangup()
			ann.idle()
			bob.idle()
		}},
		{"holds and resumes", func(t *testing.T) {
			up(t)
			ann.hold()
			bob.misses(tone1001)
			ann.resume()
			bob.hears(tone1001)
			ann.hears(tone1002)
			down()
		}},
		{"is held and resumed", func(t *testing.T) {
			up(t)
			bob.hold()
			ann.misses(tone1002)
			bob.resume()
			ann.hears(tone1002)
			bob.hears(tone1001)
			down()
		}},
		{"keys both ways", func(t *testing.T) {
			up(t)
			ann.press('5')
			bob.got('5')
			bob.press('7')
			ann.got('7')
			down()
		}},
		{"is recorded", func(t *testing.T) {
			up(t)
			n.record(t)
			bob.hears(tone1001) // it goes on
			down()
			n.recorded(t, tone1001, tone1002)
		}},
		{"transfers blind", func(t *testing.T) {
			up(t)
			ann.transfer("1003")
			cleo.rings()
			cleo.answer()
			cleo.talks()
			ann.idle()
			cleo.hears(tone1002)
			bob.hears(tone1003)
			cleo.hangup()
			bob.idle()
			cleo.idle()
		}},
		{"transfers attended", func(t *testing.T) {
			up(t)
			ann.consult("1003")
			cleo.rings()
			cleo.answer()
			cleo.talks()
			cleo.hears(tone1001)
			ann.join()
			ann.idle()
			cleo.hears(tone1002)
			bob.hears(tone1003)
			bob.hangup()
			cleo.idle()
			bob.idle()
		}},
	} {
		ok := t.Run(cell.name, func(t *testing.T) {
			for _, p := range []party{ann, bob, cleo} {
				p.of(t)
			}
			cell.do(t)
		})
		if !ok {
			return // the telephones are in no state that the next cell knows
		}
	}
}
