package route

import (
	"slices"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/extension"
)

// group calls the members of a ring group by its strategy. What members have set
// for their own calls sends none of the group's elsewhere: who forwards always,
// wants not to be disturbed, or talks and takes no second call is left out.
func (w *walk) group(g extension.Extension, callerID string) error {
	ring := groupRing(g)
	var worst error
	if g.Strategy == "" || g.Strategy == "all" {
		all, _, err := w.members(g, callerID, 0)
		if len(all) == 0 {
			return refuse(codeOf(err, 480), "nobody of group %s can be called: %s", g.Number, words(err))
		}
		last := time.Duration(0)
		for _, t := range all {
			last = max(last, t.After)
		}
		return w.dial(all, last+ring)
	}
	for _, number := range w.order(g) {
		e, err := w.extension(number)
		if err == nil && e.Type == extension.RingGroup {
			err = w.group(e, callerID)
		} else if err == nil {
			w.seen = w.seen[:len(w.seen)-1] // member looks it up itself
			var all []call.Target
			if all, _, err = w.member(number, callerID, 0); err == nil {
				err = w.dial(all, ring)
			}
		}
		if final(err) {
			return err
		}
		w.tell("group %s: %s", g.Number, words(err))
		worst = better(worst, err)
	}
	if worst == nil {
		return refuse(480, "group %s has no members", g.Number)
	}
	return worst
}

// groupRing is how long each member of a group rings.
func groupRing(g extension.Extension) time.Duration {
	if g.RingTime > 0 {
		return time.Duration(g.RingTime) * time.Second
	}
	return extension.DefaultAfter
}

// order is the order in which members ring one after the other.
func (w *walk) order(g extension.Extension) []string {
	list := slices.Clone(g.Members)
	if g.Strategy == "random" {
		w.r.c.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// members are all telephones of a group that ring together: those of the n-th
// member begin n times Delay after the first, in a group that goes in order
// after each one's ring time. err is the best reason of those that do not ring.
func (w *walk) members(g extension.Extension, callerID string, after time.Duration) (all []call.Target, later bool, err error) {
	step := g.Delay
	if g.Strategy == "order" || g.Strategy == "random" {
		step = groupRing(g)
	}
	for _, number := range w.order(g) {
		some, _, no := w.member(number, callerID, after)
		if no != nil {
			w.tell("group %s: %s", g.Number, words(no))
			err = better(err, no)
		}
		if len(some) > 0 {
			after += step
		}
		all = append(all, some...)
	}
	if len(all) > 0 {
		err = nil
	}
	return all, false, err
}
