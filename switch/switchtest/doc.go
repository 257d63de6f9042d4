// Package switchtest is a room to test the whole switch in: a bubble of virtual
// time, a network in memory, a server.Server with everything it has, phones and
// a web app. A test reads like a telephone call and takes milliseconds:
//
//	switchtest.Run(t, func(w *switchtest.World) {
//		w.Web.Serve("/ivr", "testdata/menu.xml")
//		c := w.Phone("1001").Dial("9000")
//		c.Hears("Press one for sales")
//		c.Press("2")
//		c.Hears("Support")
//		c.Ends()
//	})
//
// The voice spells what it says in tones, and Hears reads them back from the
// packets that arrived, so a lost or late frame is a lost letter. When Run
// returns everything was shut down and every goroutine has ended; an error in
// the switch's log fails the test.
//
// It is for tests only. Start with World, in world.go.
package switchtest
