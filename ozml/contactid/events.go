package contactid

// EventName has words for an event code (three digits, as in a Message): of the
// common codes their meaning, of others what their hundred stands for.
func EventName(code string) string {
	if name := events[code]; name != "" {
		return name
	}
	if len(code) == 3 {
		if kind := hundreds[code[0]]; kind != "" {
			return kind
		}
	}
	return "unknown event"
}

// hundreds are the kinds of events that DC-05 sorts the codes by.
var hundreds = map[byte]string{
	'1': "alarm",
	'2': "fire equipment needs attention",
	'3': "trouble",
	'4': "opening, closing or access",
	'5': "something was switched off",
	'6': "test or notice",
}

// events are the codes of DC-05 that panels send, in our words.
var events = map[string]string{
	"100": "medical alarm", "101": "personal emergency button", "102": "no sign of life in time",
	"110": "fire", "111": "smoke", "112": "combustion", "113": "sprinkler water flows", "114": "heat",
	"115": "fire button pulled", "116": "smoke in an air duct", "117": "flame", "118": "fire about to break out",
	"120": "panic alarm", "121": "duress: disarmed under threat", "122": "silent panic alarm", "123": "loud panic alarm",
	"124": "duress: let in under threat", "125": "duress: let out under threat",
	"130": "burglary", "131": "burglary at the outer doors and windows", "132": "burglary inside", "133": "burglary in a zone that is always armed",
	"134": "burglary at the entry door", "135": "burglary in a day and night zone", "136": "burglary outdoors", "137": "tampering with the system",
	"138": "burglary suspected", "139": "burglary confirmed by a second sensor",
	"140": "alarm", "141": "sensor loop cut", "142": "sensor loop shorted", "143": "expansion module failed", "144": "tampering with a sensor",
	"145": "tampering with a module", "146": "silent burglary alarm", "147": "sensor does not report",
	"150": "alarm in a zone that is always armed, no burglary", "151": "gas", "152": "refrigeration failed", "153": "heating failed", "154": "water leak",
	"155": "window foil broken", "156": "fault in a zone while disarmed", "157": "gas bottle low", "158": "too hot", "159": "too cold",
	"161": "air flow lost", "162": "carbon monoxide", "163": "tank level wrong",
	"200": "fire equipment needs attention", "201": "fire water pressure low", "202": "extinguisher gas low", "203": "sprinkler valve moved",
	"204": "fire water level low", "205": "fire pump runs", "206": "fire pump failed",
	"300": "trouble with the system", "301": "mains power lost", "302": "battery low", "303": "memory contents wrong", "304": "program contents wrong",
	"305": "system restarted", "306": "programming changed", "307": "self-test failed", "308": "system shut down", "309": "battery test failed",
	"310": "ground fault", "311": "battery missing or dead", "312": "power supply overloaded", "313": "reset by an engineer",
	"320": "trouble with a siren or relay", "321": "trouble with siren 1", "322": "trouble with siren 2", "323": "trouble with the alarm relay",
	"324": "trouble with the trouble relay", "325": "trouble with the reversing relay",
	"330": "trouble with attached equipment", "331": "sensor loop cut", "332": "sensor loop shorted", "333": "expansion module failed",
	"334": "radio repeater failed", "335": "printer out of paper", "336": "printer failed", "337": "power of a module lost", "338": "battery of a module low",
	"339": "module restarted", "341": "tampering with a module", "342": "mains power of a module lost", "343": "self-test of a module failed",
	"344": "radio jammed",
	"350": "trouble with reporting", "351": "telephone line 1 failed", "352": "telephone line 2 failed", "353": "radio transmitter failed",
	"354": "a report was not delivered", "355": "radio link is silent", "356": "polling by the centre is silent", "357": "radio antenna fault",
	"370": "trouble in a sensor loop", "371": "sensor loop open", "372": "sensor loop shorted", "373": "trouble in a fire loop",
	"374": "door left open on leaving", "375": "trouble in a panic zone", "376": "trouble in a hold-up zone", "377": "zone reported too often",
	"378": "only one of two crossed zones reported",
	"380": "trouble with a sensor", "381": "radio sensor is silent", "382": "wired sensor is silent", "383": "tampering with a sensor",
	"384": "battery of a radio sensor low", "385": "smoke detector too sensitive", "386": "smoke detector not sensitive enough",
	"387": "burglary sensor too sensitive", "388": "burglary sensor not sensitive enough", "389": "self-test of a sensor failed",
	"391": "sensor has seen nothing for long", "392": "smoke detector cannot adjust itself", "393": "sensor needs maintenance",
	"400": "opened or closed", "401": "opened or closed by a user", "402": "group opened or closed", "403": "opened or closed by itself",
	"404": "opened or closed late", "405": "opening or closing put off", "406": "alarm cancelled", "407": "opened or closed from afar",
	"408": "closed without a code", "409": "opened or closed by key switch",
	"411": "call back asked for", "412": "access from afar", "413": "access from afar refused", "414": "shut down from afar",
	"415": "dialler switched off from afar", "416": "configuration sent in",
	"421": "access denied", "422": "access granted", "423": "forced access", "424": "exit denied", "425": "exit granted", "426": "door held open",
	"427": "trouble with a door contact", "428": "trouble with an exit button", "429": "programming begun", "430": "programming ended",
	"431": "threat level changed", "432": "door relay failed", "433": "exit button bypassed", "434": "door contact bypassed",
	"441": "armed with people inside", "442": "armed by key switch with people inside",
	"450": "opened or closed out of hours", "451": "opened or closed early", "452": "opened or closed too late", "453": "not opened in time",
	"454": "not closed in time", "455": "could not arm itself", "456": "armed in part", "457": "wrong exit by a user", "458": "user on the premises",
	"459": "alarm shortly after closing", "461": "wrong code entered", "462": "code entered", "463": "armed again after an alarm",
	"464": "arming by itself put off", "465": "panic alarm reset", "466": "engineer came or went",
	"501": "card reader off", "520": "siren or relay off", "521": "siren 1 off", "522": "siren 2 off", "523": "alarm relay off",
	"524": "trouble relay off", "525": "reversing relay off", "531": "module added", "532": "module removed", "551": "dialler off",
	"552": "radio transmitter off", "553": "access from afar off",
	"570": "zone bypassed", "571": "fire zone bypassed", "572": "zone that is always armed bypassed", "573": "burglary zone bypassed", "574": "group bypassed",
	"575": "zone bypassed for reporting too often", "576": "door zone bypassed", "577": "door bypassed",
	"601": "test by hand", "602": "regular test", "603": "regular test of the radio", "604": "fire test", "605": "status reports follow",
	"606": "listening in follows", "607": "walk test", "608": "regular test, with trouble in the system", "609": "video on",
	"611": "point tested, good", "612": "point not tested", "613": "burglary zone walked through", "614": "fire zone walked through",
	"615": "panic zone walked through", "616": "service asked for",
	"621": "event log cleared", "622": "event log half full", "623": "event log nearly full", "624": "event log overflowed", "625": "clock set",
	"626": "clock wrong", "627": "programming begun", "628": "programming ended", "629": "event log mark", "630": "time plan changed",
	"631": "exceptions of the time plan changed", "632": "access times changed", "641": "nobody moved in time", "642": "a watched user came home",
	"654": "system not used for long",
}
