package main

import (
	"strings"
	"unicode/utf8"
)

// markdown prints the Markdown of our own manual in a terminal: headings,
// paragraphs, lists, tables and code, and no more than the manual uses.
type markdown struct {
	st    style
	width int // columns
	out   strings.Builder
}

func (m *markdown) render(src string) string {
	lines := strings.Split(strings.TrimSpace(src), "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		switch {
		case strings.TrimSpace(line) == "":
			m.blank()
			i++
		case strings.HasPrefix(line, "```"):
			for i++; i < len(lines) && !strings.HasPrefix(lines[i], "```"); i++ {
				m.out.WriteString("    " + lines[i] + "\n")
			}
			i++
		case strings.HasPrefix(line, "#"):
			m.blank()
			m.heading(strings.TrimLeft(line, "# "))
			i++
		case strings.HasPrefix(line, "|"):
			n := block(lines[i:], func(l string) bool { return strings.HasPrefix(l, "|") })
			m.table(lines[i : i+n])
			i += n
		case isItem(line):
			n := 1 + block(lines[i+1:], func(l string) bool { return strings.HasPrefix(l, " ") && !isItem(l) })
			m.item(lines[i : i+n])
			i += n
		default:
			n := block(lines[i:], func(l string) bool {
				return strings.TrimSpace(l) != "" && !strings.HasPrefix(l, "|") && !strings.HasPrefix(l, "```")
			})
			m.wrap("", "", strings.Join(lines[i:i+n], " "))
			i += n
		}
	}
	return strings.TrimRight(m.out.String(), "\n") + "\n"
}

// block counts the lines that belong together.
func block(lines []string, in func(string) bool) (n int) {
	for n < len(lines) && in(lines[n]) {
		n++
	}
	return n
}

func isItem(l string) bool { return strings.HasPrefix(strings.TrimLeft(l, " "), "- ") }

// blank leaves one empty line, and none at the top.
func (m *markdown) blank() {
	if s := m.out.String(); s != "" && !strings.HasSuffix(s, "\n\n") {
		m.out.WriteByte('\n')
	}
}

func (m *markdown) heading(text string) {
	h := markdown{width: m.width}
	h.wrap("", "", text)
	for line := range strings.Lines(h.out.String()) {
		m.out.WriteString(m.st.bold(strings.TrimSpace(line)) + "\n")
	}
}

func (m *markdown) item(lines []string) {
	text := strings.TrimLeft(lines[0], " ")
	indent := strings.Repeat(" ", len(lines[0])-len(text)+2)
	for _, l := range lines[1:] {
		text += " " + strings.TrimSpace(l)
	}
	m.wrap(indent[2:]+"- ", indent, text[2:])
}

// table prints the first column and, beside it, the last one; what stands
// between follows in a line of its own.
func (m *markdown) table(lines []string) {
	var rows [][]string
	for _, l := range lines {
		if strings.Trim(l, "|- ") != "" {
			rows = append(rows, cells(l))
		}
	}
	head := cells(lines[0])
	if strings.Trim(lines[0], "| ") != "" {
		rows = rows[1:] // with every first cell a name, nobody misses it
	}
	left := 0
	for _, r := range rows {
		left = max(left, utf8.RuneCountInString(plain(r[0])))
	}
	left = min(left, m.width/3)
	indent := strings.Repeat(" ", left+4)
	for _, r := range rows {
		name := plain(r[0])
		lead := "  " + m.st.bold(name) + strings.Repeat(" ", max(left-utf8.RuneCountInString(name), 0)) + "  "
		if utf8.RuneCountInString(name) > left {
			m.out.WriteString("  " + m.st.bold(name) + "\n")
			lead = indent
		}
		m.wrap(lead, indent, r[len(r)-1])
		if between := middle(head, r); between != "" {
			m.wrap(indent, indent, between)
		}
	}
}

// middle joins the cells between the first and the last.
func middle(head, row []string) string {
	var parts []string
	for i := 1; i < len(row)-1; i++ {
		switch c := row[i]; {
		case c == "" || c == "everywhere":
		case head[i] == "Default" && !strings.HasPrefix(c, "**"):
			parts = append(parts, "default "+c)
		case head[i] == "Where":
			parts = append(parts, "counts in: "+c)
		default:
			parts = append(parts, c)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "[" + strings.Join(parts, "; ") + "]"
}

func cells(line string) []string {
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	parts := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
	for i := range parts {
		parts[i] = strings.ReplaceAll(strings.TrimSpace(parts[i]), "\x00", "|")
	}
	return parts
}

// plain takes out the marks of Markdown: emphasis, code, and links, of which
// the text stays.
func plain(s string) string {
	s = strings.NewReplacer("**", "", "`", "").Replace(s)
	for {
		open := strings.IndexByte(s, '[')
		mid := strings.Index(s, "](")
		if open < 0 || mid < open {
			return s
		}
		end := strings.IndexByte(s[mid:], ')')
		if end < 0 {
			return s
		}
		s = s[:open] + s[open+1:mid] + s[mid+end+1:]
	}
}

// wrap prints a paragraph: lead before its first line, indent before the rest.
func (m *markdown) wrap(lead, indent, text string) {
	room := m.width - utf8.RuneCountInString(indent)
	line, used := lead, 0
	for _, word := range strings.Fields(plain(text)) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > room {
			m.out.WriteString(strings.TrimRight(line, " ") + "\n")
			line, used = indent, 0
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += n
	}
	m.out.WriteString(strings.TrimRight(line, " ") + "\n")
}
