package tts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// normalize writes out what the English voices read wrongly or drop: they know no sign beyond ASCII, read a telephone
// number as thousands and keep silent about the dot of an address. What they read rightly (dollars, times, percent,
// numbers with commas) is left alone. dayFirst: 3/4/2026 is the third of April.
func normalize(text string, dayFirst bool) string {
	s := strings.Join(strings.Fields(unify(text)), " ")
	for _, r := range rules {
		s = r.find.ReplaceAllStringFunc(s, func(m string) string {
			return r.say(r.find.FindStringSubmatch(m), dayFirst)
		})
	}
	return tidy(fold(s))
}

// rule replaces what find matches. Rules run in order: an address is no longer there when telephone numbers are sought.
type rule struct {
	find *regexp.Regexp
	say  func(m []string, dayFirst bool) string
}

const (
	amount = `(\d[\d,]*)(?:\.(\d{2}))?( (?:thousand|million|billion))?\b`
	domain = `(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}`
	path   = `(?:/[\w~%./?=&#-]*[\w/])?`
	known  = `com|org|net|info|biz|edu|gov|int|eu|uk|us|hu|de|at|ch|fr|it|es|nl|be|pl|cz|sk|ro|io|co|app|dev|tv|example`
)

var rules = []rule{
	{regexp.MustCompile(`</?[A-Za-z!][^<>]*>`), as(" ")},
	// Addresses.
	{regexp.MustCompile(`[A-Za-z0-9._%+-]+@` + domain), spell},
	{regexp.MustCompile(`(?i)\b(?:https?|ftp|sips?)://[\w.:-]*\w` + path), spell},
	{regexp.MustCompile(`(?i)\bwww\.` + domain + path), spell},
	{regexp.MustCompile(`(?i)\b(?:[a-z0-9-]+\.)+(?:` + known + `)\b` + path), spell},
	{regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`), func(m []string, _ bool) string {
		var parts []string
		for p := range strings.SplitSeq(m[0], ".") {
			parts = append(parts, spaced(p))
		}
		return strings.Join(parts, " dot ")
	}},
	// Money; dollars are read rightly.
	{regexp.MustCompile(`([€£¥]) ?` + amount), func(m []string, _ bool) string { return money(m[1], m[2], m[3], m[4]) }},
	{regexp.MustCompile(`\b` + strings.TrimSuffix(amount, `\b`) + ` ?([€£¥])`), func(m []string, _ bool) string { return money(m[4], m[1], m[2], m[3]) }},
	// Temperatures; a minus before a number.
	{regexp.MustCompile(`(-)?(\d+(?:\.\d+)?) ?° ?([CF]\b)?`), func(m []string, _ bool) string {
		s := m[2] + " " + plural(m[2], "degree", "degrees")
		if m[1] != "" {
			s = "minus " + s
		}
		return s + map[string]string{"C": " Celsius", "F": " Fahrenheit"}[m[3]]
	}},
	{regexp.MustCompile(`(^|[ (])-(\d)`), func(m []string, _ bool) string { return m[1] + "minus " + m[2] }},
	// Dates.
	{regexp.MustCompile(`\b(\d{4})-(\d{1,2})-(\d{1,2})\b`), func(m []string, _ bool) string { return date(m[0], m[1], m[2], m[3]) }},
	{regexp.MustCompile(`\b(\d{1,2})([/.])(\d{1,2})[/.](\d{4})\b`), func(m []string, dayFirst bool) string {
		mo, d := m[1], m[3]
		if first, _ := strconv.Atoi(m[1]); dayFirst || m[2] == "." || first > 12 {
			mo, d = d, mo
		}
		return date(m[0], m[4], mo, d)
	}},
	// Telephone and card numbers: digit by digit, with a pause where the writer made a gap.
	{regexp.MustCompile(`(\+ ?)?\(?\b\d+\)?(?:[ ./-]{1,2}\(?\d+\)?)+`), telephone},
	{regexp.MustCompile(`\+(\d{7,15})\b`), func(m []string, _ bool) string { return "plus " + spaced(m[1]) }},
	{regexp.MustCompile(`\b0\d{5,14}\b`), func(m []string, _ bool) string { return spaced(m[0]) }},
	// Codes.
	{regexp.MustCompile(`\b([A-Z]{1,4})-?(\d{3,})([A-Z]?)\b`), func(m []string, _ bool) string {
		return strings.TrimSpace(spaced(m[1]) + " " + spaced(m[2]) + " " + m[3])
	}},
	{regexp.MustCompile(`\b(?:[A-Z]+\d+){2,}[A-Z]*\b`), func(m []string, _ bool) string { return spaced(m[0]) }},
	{regexp.MustCompile(`(?i)\bext\. ?(\d)`), func(m []string, _ bool) string { return "extension " + m[1] }},
	{regexp.MustCompile(`(?i)\b(extension|pin|code|passcode|account|ticket|reference|flight)( number)?( is)?:? (\d{3,})\b`),
		func(m []string, _ bool) string { return m[1] + m[2] + m[3] + " " + spaced(m[4]) }},
	// Large round numbers; others of that length are codes and are read digit by digit.
	{regexp.MustCompile(`\b[1-9]\d{1,11}000\b`), func(m []string, _ bool) string { return grouped(m[0]) }},
	// Abbreviations: their full stops must not end a sentence.
	{regexp.MustCompile(`\bSt\.? ([A-Z])`), func(m []string, _ bool) string { return "Saint " + m[1] }},
	{regexp.MustCompile(`\bSt\.`), as("Street")},
	{regexp.MustCompile(`\b(Dr|Prof|Mr|Mrs|Ms|Jr|Sr|Ave|Blvd|Rd|Ltd|Inc|Co|Corp|Dept|approx|vs|etc|tel|Tel|max|min)\.`),
		func(m []string, _ bool) string { return abbreviations[m[1]] }},
	{regexp.MustCompile(`\bNo\. ?(\d)`), func(m []string, _ bool) string { return "number " + m[1] }},
	{regexp.MustCompile(`\be\.g\.,?`), as("for example,")},
	{regexp.MustCompile(`\bi\.e\.,?`), as("that is,")},
	{regexp.MustCompile(`(?i)(\d) ?([ap])\.m\.`), func(m []string, _ bool) string { return m[1] + " " + strings.ToLower(m[2]) + "m" }},
	{regexp.MustCompile(`\b(?:[A-Z]\.){2,}`), func(m []string, _ bool) string { return spaced(strings.ReplaceAll(m[0], ".", "")) }},
	{regexp.MustCompile(`\b(?:IVR|API|USA|URL|FAQ|SMS|VIP|UK|US|EU|UN|TV|ID|IT|HR|PC|ATM|CEO|VAT|GPS|PDF|HTTPS?|HTML|XML|SQL|RTP|TCP|UDP|IP)\b`),
		func(m []string, _ bool) string { return spaced(m[0]) }},
}

var abbreviations = map[string]string{
	"Dr": "Doctor", "Prof": "Professor", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Jr": "Junior", "Sr": "Senior",
	"Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ltd": "Limited", "Inc": "Incorporated", "Co": "Company",
	"Corp": "Corporation", "Dept": "Department", "approx": "approximately", "vs": "versus", "etc": "et cetera",
	"tel": "telephone", "Tel": "Telephone", "max": "maximum", "min": "minimum",
}

func as(s string) func([]string, bool) string { return func([]string, bool) string { return s } }

// spaced sets characters apart, so that each is said by itself.
func spaced(s string) string { return strings.Join(strings.Split(s, ""), " ") }

// grouped puts commas into a number.
func grouped(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n, one, many string) string {
	if n == "1" {
		return one
	}
	return many
}

var currencies = map[string][4]string{
	"€": {"euro", "euros", "cent", "cents"},
	"£": {"pound", "pounds", "penny", "pence"},
	"¥": {"yen", "yen", "", ""},
}

func money(sign, whole, part, scale string) string {
	c := currencies[sign]
	s := whole + scale + " " + plural(whole+scale, c[0], c[1])
	if part == "" || part == "00" || c[2] == "" {
		return s
	}
	part = strings.TrimPrefix(part, "0")
	return s + " and " + part + " " + plural(part, c[2], c[3])
}

// date says a day of the calendar; what is none stays as it was.
func date(was, year, month, day string) string {
	t, err := time.Parse("2006-1-2", year+"-"+strings.TrimPrefix(month, "0")+"-"+strings.TrimPrefix(day, "0"))
	if err != nil {
		return was
	}
	suffix := "th"
	if d := t.Day(); d/10 != 1 {
		switch d % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%s %d%s, %s", t.Month(), t.Day(), suffix, year)
}

// telephone says groups of digits, if they look like such a number: a plus or a zero in front, three groups, or 3-4.
func telephone(m []string, _ bool) string {
	plus := m[1] != ""
	groups := strings.FieldsFunc(m[0], func(r rune) bool { return r < '0' || r > '9' })
	digits := len(strings.Join(groups, ""))
	hyphen := len(groups) == 2 && len(groups[0]) == 3 && len(groups[1]) == 4 && strings.Contains(m[0], "-")
	if digits < 6 || digits > 24 || !(plus || groups[0][0] == '0' || hyphen || len(groups) >= 3 && digits >= 7 && !strings.Contains(m[0], "/")) {
		return m[0]
	}
	for i, g := range groups {
		groups[i] = spaced(g)
	}
	s := strings.Join(groups, ", ")
	if plus {
		s = "plus " + s
	}
	return s
}

// spell says an address: letters as words, signs by their names.
func spell(m []string, _ bool) string {
	s := m[0]
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if len(s) > 4 && strings.EqualFold(s[:4], "www.") {
		s = "w w w." + s[4:]
	}
	return strings.TrimSpace(strings.Join(strings.Fields(signs.Replace(strings.TrimSuffix(s, "/"))), " "))
}

var signs = strings.NewReplacer(".", " dot ", "@", " at ", "/", " slash ", "-", " dash ", "_", " underscore ",
	"?", " question mark ", "=", " equals ", "&", " and ", "%", " percent ", "+", " plus ", "#", " hash ", ":", " colon ", "~", " tilde ")

// unify brings the many signs for one thing together, before the rules look for them.
func unify(s string) string { return typography.Replace(s) }

var typography = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
	"−", "-", "‐", "-", "‑", "-", "–", " - ", "—", ", ", "…", "...", "\u00A0", " ", "\u202F", " ", "\u2009", " ",
	"×", " times ", "÷", " divided by ", "±", " plus or minus ", "½", " one half ", "¼", " one quarter ", "¾", " three quarters ",
	"²", " squared ", "³", " cubed ", "№", " number ", "•", ", ", "℃", "°C", "℉", "°F", "\u00AD", "", "\u200B", "",
)

// fold writes letters with marks as plain ones and drops what is beyond ASCII.
func fold(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E: // full width
			b.WriteRune(r - 0xFEE0)
		case r < ' ' || r == 0x7F:
			b.WriteByte(' ')
		case r < 0x80:
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // a mark that stands by itself
		default:
			if plain, ok := marked[r]; ok {
				b.WriteString(plain)
			} else {
				b.WriteByte(' ')
			}
		}
	}
	return b.String()
}

// marked is the Latin letters with marks, by what remains without.
var marked = func() map[rune]string {
	m := map[rune]string{}
	for plain, letters := range map[string]string{
		"a": "àáâãäåāăą", "A": "ÀÁÂÃÄÅĀĂĄ", "ae": "æ", "AE": "Æ", "c": "çćĉċč", "C": "ÇĆĈĊČ", "d": "ďđð", "D": "ĎĐÐ",
		"e": "èéêëēĕėęě", "E": "ÈÉÊËĒĔĖĘĚ", "g": "ĝğġģ", "G": "ĜĞĠĢ", "h": "ĥħ", "H": "ĤĦ", "i": "ìíîïĩīĭįı", "I": "ÌÍÎÏĨĪĬĮİ",
		"j": "ĵ", "J": "Ĵ", "k": "ķ", "K": "Ķ", "l": "ĺļľŀł", "L": "ĹĻĽĿŁ", "n": "ñńņňŋ", "N": "ÑŃŅŇŊ",
		"o": "òóôõöøōŏő", "O": "ÒÓÔÕÖØŌŎŐ", "oe": "œ", "OE": "Œ", "r": "ŕŗř", "R": "ŔŖŘ", "s": "śŝşšșſ", "S": "ŚŜŞŠȘ", "ss": "ß",
		"t": "ţťŧț", "T": "ŢŤŦȚ", "th": "þ", "Th": "Þ", "u": "ùúûüũūŭůűųµ", "U": "ÙÚÛÜŨŪŬŮŰŲ", "w": "ŵ", "W": "Ŵ",
		"y": "ýÿŷ", "Y": "ÝŸŶ", "z": "źżž", "Z": "ŹŻŽ",
	} {
		for _, r := range letters {
			m[r] = plain
		}
	}
	return m
}()

var (
	noise    = regexp.MustCompile("[<>*_`~^|\\\\{}\\[\\]]+")
	gap      = regexp.MustCompile(`\s+([,;:.!?])`)
	repeated = regexp.MustCompile(`([,;:.!?])[,;:.!?]*([,;:.!?])`)
	lonely   = regexp.MustCompile(`(^| )[-"'()]+( |$)`)
)

// tidy takes out signs that would be read by name and what the rules left of punctuation.
func tidy(s string) string {
	s = noise.ReplaceAllString(s, " ")
	s = lonely.ReplaceAllString(s, ", ")
	s = strings.Join(strings.Fields(s), " ")
	s = gap.ReplaceAllString(s, "$1")
	s = repeated.ReplaceAllString(s, "$2")
	return strings.TrimLeft(s, " ,;:.!?")
}
