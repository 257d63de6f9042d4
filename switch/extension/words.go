package extension

import "strings"

// typeWords are how the HTTP API calls the types (pbx-concepts.md C5): in the
// lists, and as ExtensionType and knownType of the configuration commands. The
// words but for the first two lists are ours.
var typeWords = []struct {
	t                    Type
	listed, config, info string
}{
	{Phone, "Phone", "SIP", "SIPExtensionInfo"},
	{API, "API extension", "API", "APIExtensionInfo"},
	{Script, "IVR extension", "IVR", "IVRExtensionInfo"},
	{RingGroup, "Ring group", "RingGroup", "RingGroupExtensionInfo"},
	{Voicemail, "Voicemail", "Voicemail", "VoicemailExtensionInfo"},
	{Conference, "Conference room", "Conference", "ConferenceExtensionInfo"},
	{Queue, "Call queue", "Queue", "QueueExtensionInfo"},
	{Echo, "Echo test", "Echo", "EchoExtensionInfo"},
}

// Listed is the word of ListExtensions: "Phone", "IVR extension".
func (t Type) Listed() string {
	for _, w := range typeWords {
		if w.t == t {
			return w.listed
		}
	}
	return string(t)
}

// Config is the word of ExtensionType: "SIP", "IVR".
func (t Type) Config() string {
	for _, w := range typeWords {
		if w.t == t {
			return w.config
		}
	}
	return string(t)
}

// Info is the knownType of a configuration document: "SIPExtensionInfo".
func (t Type) Info() string {
	for _, w := range typeWords {
		if w.t == t {
			return w.info
		}
	}
	return ""
}

// ConfigWords lists the words of ExtensionType: "SIP", "API" ...
func ConfigWords() (all []string) {
	for _, w := range typeWords {
		all = append(all, w.config)
	}
	return all
}

// TypeOf gives the type that any of these words, or that of the configuration
// file, means, in any letter case.
func TypeOf(word string) (Type, bool) {
	word = strings.TrimSpace(word)
	for _, w := range typeWords {
		for _, known := range []string{string(w.t), w.listed, w.config, w.info} {
			if strings.EqualFold(word, known) {
				return w.t, true
			}
		}
	}
	return "", false
}
