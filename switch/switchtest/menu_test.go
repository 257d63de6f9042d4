package switchtest

import (
	"testing"
)

func TestMenu(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", "testdata/menu.xml")
		c := w.Phone("1001").Dial("9000")
		c.Hears("Press one for sales")
		c.Press("2")
		c.Hears("Support")
		c.Ends()
	})
}
