package command

import (
	"time"

	"ozswitch/ozml"
)

// How each command steers the script, for the checker (ozml.Flow). A command
// that is not here may do anything.

// fetchTime is how long a web application may take (web.timeout).
const fetchTime = 10 * time.Second

// Flow implements ozml.Steerer.
func (c *speak) Flow() ozml.Flow { return ozml.Flow{Waits: true, Heard: true} }

// Flow implements ozml.Steerer.
func (c *play) Flow() ozml.Flow {
	return ozml.Flow{Waits: true, Heard: true, Endless: c.Repeat && c.Timeout == 0}
}

// Flow implements ozml.Steerer.
func (beep) Flow() ozml.Flow { return ozml.Flow{Waits: true, Heard: true} }

// Flow implements ozml.Steerer.
func (c *delay) Flow() ozml.Flow { return ozml.Flow{Waits: true, Takes: c.d} }

// Flow implements ozml.Steerer.
func (c *variable) Flow() ozml.Flow { return ozml.Flow{Sets: c.id} }

// Flow implements ozml.Steerer.
func (c *array) Flow() ozml.Flow { return ozml.Flow{Array: c.id, Items: len(c.items)} }

// Flow implements ozml.Steerer.
func (c *forEach) Flow() ozml.Flow {
	return ozml.Flow{Loop: &ozml.Loop{Source: c.source, Body: c.body}}
}

// Flow implements ozml.Steerer.
func (c *goTo) Flow() ozml.Flow {
	return ozml.Flow{Waits: true, Leaves: true, MayCut: true, Takes: fetchTime}
}

// Flow implements ozml.Steerer.
func (c *hangup) Flow() ozml.Flow { return ozml.Flow{Leaves: true, HangsUp: true} }

// Flow implements ozml.Steerer.
func (reject) Flow() ozml.Flow { return ozml.Flow{Leaves: true} }

// Flow implements ozml.Steerer.
func (exit) Flow() ozml.Flow { return ozml.Flow{Leaves: true} }

// Flow implements ozml.Steerer.
func (onHangup) Flow() ozml.Flow { return ozml.Flow{} }

// Flow implements ozml.Steerer.
func (c *call) Flow() ozml.Flow { return ozml.Flow{} }

// Flow implements ozml.Steerer.
func (c *record) Flow() ozml.Flow {
	return ozml.Flow{Records: true, Waits: c.beep, Heard: c.beep, NoEnd: c.Duration == 0 && c.Inactivity == 0 && c.keys == ""}
}

// Flow implements ozml.Steerer.
func (c *userInput) Flow() ozml.Flow {
	m := &ozml.Menu{
		Initial: c.initial, Repeat: c.repeat, Back: c.back != "", Forwards: c.url != "",
		Unsure: len(c.unsure) > 0, Timeout: c.timeout,
	}
	if c.counted {
		m.Least = c.min
	}
	for _, i := range c.inputs {
		m.Bodies = append(m.Bodies, i.body)
		m.Longest = max(m.Longest, len(i.key))
	}
	m.Bodies = append(m.Bodies, c.unsure...)
	return ozml.Flow{Menu: m}
}
