package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"ozswitch/switch/api"
	"ozswitch/switch/call"
	"ozswitch/switch/extension"
	"ozswitch/switch/script"
	"ozswitch/switch/store"
)

// settings are what telephones have changed of theirs since they were configured;
// they outlive the process in the store.
type settings struct {
	mu      sync.Mutex
	changes map[string]extension.Change // by number
}

// settingPrefix is how the names of settings begin in the store; the number follows.
const settingPrefix = "extension/"

// load reads what an earlier run kept. A row that cannot be read is told in an
// error, and the others count all the same.
func (c *settings) load(from store.Store) error {
	c.changes = map[string]extension.Change{}
	var faults []error
	for one, err := range from.Settings(context.Background(), settingPrefix) {
		if err != nil {
			return err
		}
		var change extension.Change
		if err := json.Unmarshal(one.Doc, &change); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", one.Name, err))
			continue
		}
		c.changes[strings.TrimPrefix(one.Name, settingPrefix)] = change
	}
	return errors.Join(faults...)
}

// settings are those of an extension now: as configured, with what was changed
// since. Of a number without an extension they are those of one that sets nothing.
func (s *Server) settings(number string) extension.Settings {
	e, ok := s.state.Load().exts.Find(number)
	if !ok {
		return extension.Settings{CallWaiting: true}
	}
	s.phoneSettings.mu.Lock()
	defer s.phoneSettings.mu.Unlock()
	return e.Settings.With(s.phoneSettings.changes[number])
}

// changeSettings is api.V1.ChangeSettings, and what feature codes do. It is kept
// before it counts.
func (s *Server) changeSettings(number string, change extension.Change) error {
	e, ok := s.state.Load().exts.Find(number)
	switch {
	case !ok:
		return &api.Refusal{Status: http.StatusNotFound, Why: "there is no number " + number}
	case e.Type != extension.Phone:
		return &api.Refusal{Status: http.StatusConflict, Why: "number " + number + " has no settings: it is no phone but of type " + string(e.Type)}
	}
	s.phoneSettings.mu.Lock()
	defer s.phoneSettings.mu.Unlock()
	all := s.phoneSettings.changes[number].Then(change)
	if err := e.Settings.With(all).Check(number); err != nil {
		return &api.Refusal{Status: http.StatusUnprocessableEntity, Why: err.Error()}
	}
	doc, err := json.Marshal(all)
	if err == nil {
		err = s.store.PutSetting(settingPrefix+number, doc)
	}
	if err != nil {
		return fmt.Errorf("server: the settings of %s are not kept: %w", number, err)
	}
	s.phoneSettings.changes[number] = all
	s.log.Info("settings of an extension changed", "extension", number, "to", string(doc))
	return nil
}

// featureCode carries out a code that a telephone dialled, and gives what says so
// to it; ok is false when the number is no code. Whoever has not logged in changes
// nothing.
func (s *Server) featureCode(in call.Invited) (says script.Task, ok bool) {
	change, said, ok := s.state.Load().cfg.FeatureCodes.codes().Match(in.To)
	if !ok || in.Line != "" {
		return says, false
	}
	sign := "<Beep/>" // is heard where there is no voice too
	if change == (extension.Change{}) {
		sign = ""
	} else if in.User == "" {
		sign = ""
		said = "Nothing was changed: log in with the extension's password to use this code."
	} else if err := s.changeSettings(in.User, change); err != nil {
		s.log.Warn("a feature code was not carried out", "extension", in.User, "dialed", in.To, "err", err)
		sign = ""
		said = "Nothing was changed: the number cannot be used."
	}
	return script.Task{Text: "<Response><Delay Time=\"0.5\"/>" + sign + "<Speak>" + said + "</Speak><Hangup/></Response>"}, true
}

// settings are those that the configuration names.
func (e *Extension) settings() extension.Settings {
	f := e.Forward
	return extension.Settings{
		Forward:      extension.Forward{Always: f.Always, Busy: f.Busy, NoAnswer: f.NoAnswer, Unavailable: f.Unavailable, After: time.Duration(f.After)},
		DoNotDisturb: e.DND, CallWaiting: e.CallWaiting == nil || *e.CallWaiting,
	}
}

func (f *FeatureCodes) fill() {
	d := extension.DefaultCodes
	set(&f.ForwardAlways, d.Always)
	set(&f.ForwardAlwaysOff, d.AlwaysOff)
	set(&f.ForwardBusy, d.Busy)
	set(&f.ForwardBusyOff, d.BusyOff)
	set(&f.ForwardNoAnswer, d.NoAnswer)
	set(&f.ForwardNoAnswerOff, d.NoAnswerOff)
	set(&f.DND, d.DND)
	set(&f.DNDOff, d.DNDOff)
	set(&f.Pickup, d.PickUp)
	set(&f.PickupGroup, d.PickUpGroup)
	set(&f.QueueAgent, d.Agent)
}

// codes are those that are not off.
func (f FeatureCodes) codes() extension.Codes {
	on := func(code string) string {
		if code == "off" {
			return ""
		}
		return code
	}
	return extension.Codes{
		Always: on(f.ForwardAlways), AlwaysOff: on(f.ForwardAlwaysOff), Busy: on(f.ForwardBusy), BusyOff: on(f.ForwardBusyOff),
		NoAnswer: on(f.ForwardNoAnswer), NoAnswerOff: on(f.ForwardNoAnswerOff), DND: on(f.DND), DNDOff: on(f.DNDOff),
		PickUp: on(f.Pickup), PickUpGroup: on(f.PickupGroup), Agent: on(f.QueueAgent),
	}
}
