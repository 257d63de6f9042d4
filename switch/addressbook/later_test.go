package addressbook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestLater: a name is looked for without waiting; a provider that is down is
// tried once in the time of the cache, told once, and what was read last goes on.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		dials, up := 0, false
		b, err := New([]Book{{Name: "crm", URL: "http://crm/", Names: true, Cache: time.Minute}}, Options{
			Dial: func(context.Context, string, string) (net.Conn, error) {
				if dials++; !up {
					return nil, errors.New("down")
				}
				near, far := net.Pipe()
				go func() { // a web server of one answer
					defer far.Close()
					if _, err := far.Read(make([]byte, 4096)); err == nil {
						fmt.Fprint(far, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[{\"name\":\"Ann\",\"phone\":\"1\"}]")
					}
				}()
				return near, nil
			},
			Failed: func(book string, err error) { told = append(told, fmt.Sprint(book, " ", err != nil)) },
		})
		if err != nil {
			t.Fatal(err)
		}
		look := func(want string) {
			t.Helper()
			begun := time.Now()
			if got := b.NameOf("1"); got != want || time.Since(begun) > 0 {
				t.Errorf("1 is %q after %v, want %q", got, time.Since(begun), want)
			}
			synctest.Wait()
		}
		b.Warm()
		synctest.Wait()
		look("")
		look("")
		time.Sleep(time.Minute)
		look("")
		if dials != 2 || fmt.Sprint(told) != "[crm true]" {
			t.Errorf("%d tries, told %v; want 2, told once", dials, told)
		}
		up = true
		time.Sleep(time.Minute)
		look("")
		look("Ann")
		up = false
		time.Sleep(time.Hour)
		look("Ann")
		if dials != 4 || fmt.Sprint(told) != "[crm true crm false crm true]" {
			t.Errorf("%d tries, told %v", dials, told)
		}
		b.Close()
		time.Sleep(time.Hour)
		look("Ann")
		if dials != 4 {
			t.Error("a closed book was read")
		}
	})
}
