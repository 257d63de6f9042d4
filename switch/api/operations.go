package api

import (
	"io"

	"ozswitch/switch/export"
)

// operations lists all of V1: who may use each, and with which scope by a token.
// "anybody" looks at credentials by itself; "member" is a user with api or admin,
// by Basic credentials, the cookie of a session or a token; "admin" one with
// admin. What changes something by cookie needs the header X-Ozswitch: 1.
func (v *V1) operations() []operation {
	all := []operation{
		typed("signIn", "POST", "/v1/session", anybody, "", "Sign a browser in", v.postSession),
		typed("getSession", "GET", "/v1/session", member, Phoning, "Who is signed in, and what the switch is", v.getSession),
		typed("signOut", "DELETE", "/v1/session", anybody, "", "Sign out", v.deleteSession),
		typed("createToken", "POST", "/v1/tokens", member, "", "Make a token; its secret is told only here", v.postToken).created(),
		typed("listTokens", "GET", "/v1/tokens", member, "", "One's own tokens, to an admin all", v.getTokens),
		typed("revokeToken", "DELETE", "/v1/tokens/{id}", member, "", "End a token", v.deleteToken),
		typed("followEvents", "GET", "/v1/events", member, EventsRead, "All events from now on, as Server-Sent Events", v.getEvents).as("text/event-stream", "One event after the other, each with its id and type"),

		typed("listCalls", "GET", "/v1/calls", member, CallsRead, "The calls that are up, and a page of those that are over", v.getCalls),
		typed("createCall", "POST", "/v1/calls", member, CallsWrite, "Ring a number and run a script on the call", v.postCall).created().acts(),
		typed("getCall", "GET", "/v1/calls/{id}", member, CallsRead, "One call", v.getCall),
		typed("followCall", "GET", "/v1/calls/{id}/events", member, EventsRead, "The events of a call, as Server-Sent Events", v.getCallEvents).as("text/event-stream", "One event after the other; it ends with the call"),
		typed("getCallLog", "GET", "/v1/calls/{id}/log", member, CallsRead, "The events of a call so far", v.getLog),
		typed("getCallDocument", "GET", "/v1/calls/{id}/documents", member, CallsRead, "A script that ran on a call", v.getDocument),
		typed("getCallPeaks", "GET", "/v1/calls/{id}/peaks", member, RecordingsRead, "The waveform of a call", v.getPeaks),
		typed("getCallSound", "GET", "/v1/calls/{id}/sound.wav", member, RecordingsRead, "The sound of a call: left we, right the caller", v.getSound).as("audio/wav", "The sound; parts of it by Range"),
		typed("exportCall", "GET", "/v1/calls/{id}/export.json", member, CallsRead, "All that is known of a call", v.getExport("json", "application/json", export.JSON)).as("application/json", "The call and its events"),
		typed("exportCallPackets", "GET", "/v1/calls/{id}/export.pcap", member, RecordingsRead, "SIP and RTP of a call", v.getExport("pcap", "application/vnd.tcpdump.pcap", export.PCAP)).as("application/vnd.tcpdump.pcap", "Packets, for Wireshark"),
		typed("exportCallLadder", "GET", "/v1/calls/{id}/export.mmd", member, CallsRead, "The ladder of a call", v.getExport("mmd", "text/vnd.mermaid; charset=utf-8", export.Mermaid)).as("text/vnd.mermaid", "A Mermaid diagram"),
		typed("exportCallFiles", "GET", "/v1/calls/{id}/export.zip", member, RecordingsRead, "All exports of a call in one file", v.getExport("zip", "application/zip", export.Zip)).as("application/zip", "The files"),
		typed("hangUp", "POST", "/v1/calls/{id}/hangup", member, CallsWrite, "Hang a call up", v.postHangup).acts(),
		typed("pressKeys", "POST", "/v1/calls/{id}/keys", member, CallsWrite, "Press keys as if the caller had", v.postKeys).acts(),

		typed("listScripts", "GET", "/v1/scripts", member, ScriptsRead, "The scripts and who runs them", v.getScripts),
		typed("getScript", "GET", "/v1/scripts/{name}", member, ScriptsRead, "One script, with its text", v.getScript),
		typed("putScript", "PUT", "/v1/scripts/{name}", admin, ScriptsWrite, "Save a script", v.putScript).most(v.scriptBody()),
		typed("deleteScript", "DELETE", "/v1/scripts/{name}", admin, ScriptsWrite, "Remove a script", v.deleteScript),
		typed("lintScript", "POST", "/v1/lint", member, ScriptsRead, "What is wrong with a script", v.postLint).most(v.scriptBody()),
		typed("runScript", "POST", "/v1/run", member, ScriptsRead, "Play a script on paper, with a caller", v.postRun).most(v.scriptBody()),
		typed("fetchSample", "POST", "/v1/fetch", admin, ScriptsWrite, "Post a sample IncomingCall to a web app", v.postFetch),
		typed("listSamples", "GET", "/v1/samples", member, ScriptsRead, "A small web app in five languages", v.getSamples),

		typed("listExtensions", "GET", "/v1/extensions", member, ExtensionsRead, "The numbers, and where telephones are", v.getNumbers),
		typed("getExtension", "GET", "/v1/extensions/{number}", member, ExtensionsRead, "One number", v.getNumber),
		typed("putExtension", "PUT", "/v1/extensions/{number}", admin, ExtensionsWrite, "Change what a number runs", v.putNumber),
		typed("changeExtension", "PATCH", "/v1/extensions/{number}", member, ExtensionsWrite, "Change the settings of a phone: one's own, an admin all", v.patchNumber),
		typed("listQueues", "GET", "/v1/queues", member, ExtensionsRead, "The call queues: who waits, what the agents do", given(&v.Queues)).shaped(givenType(v.Queues)),
		typed("listConferences", "GET", "/v1/conferences", member, ExtensionsRead, "The conferences that somebody is in", given(&v.Rooms)).shaped(givenType(v.Rooms)),
		typed("listLines", "GET", "/v1/lines", member, ExtensionsRead, "The outside lines and how they are", v.getLines),

		typed("getStatus", "GET", "/v1/status", member, StatusRead, "How the switch is", v.getStatus),
		typed("getOpenAPI", "GET", "/v1/openapi.json", anybody, "", "This document", v.getOpenAPI).as("application/json", "An OpenAPI 3.1 document"),
		typed("listCommands", "GET", "/v1/commands", member, ScriptsRead, "The words of the language", v.getCommands),
	}
	return append(all, v.commandOperations()...)
}

// An exporter writes a call in one of its forms.
type exporter func(io.Writer, export.Call) error
