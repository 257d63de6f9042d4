package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"ozswitch/ozml/command"
)

func TestMarkdown(t *testing.T) {
	const src = "# Title\n\nA **bold** paragraph with `code` and a [link](other.md) that\nis wrapped.\n\n" +
		"| Name | Values | Default | Where | Meaning |\n| --- | --- | --- | --- | --- |\n| A | text | `x` | everywhere | first \\| one |\n| Bee | text | **required** | here | second |\n\n" +
		"- item one\n  goes on\n- item two\n  - inner\n\n```xml\n<A>  </A>\n```\n"
	const want = `Title

A bold paragraph with code and a link
that is wrapped.

  A    first | one
       [text; default x]
  Bee  second
       [text; required; counts in: here]

- item one goes on
- item two
  - inner

    <A>  </A>
`
	m := markdown{width: 40}
	if got := m.render(src); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestManualPages renders every page at several widths: nothing is lost, no
// mark of Markdown is left, and only code and single words are too wide.
func TestManualPages(t *testing.T) {
	table := command.Table()
	for _, name := range append(topics(table), "") {
		page, ok := manualPage(table, name)
		if !ok || page == "" {
			t.Errorf("no page %q", name)
			continue
		}
		for _, width := range []int{40, 80, 100} {
			m := markdown{width: width}
			got := m.render(page)
			if len(got) < len(page)/3 {
				t.Errorf("%s: %d bytes of %d at width %d", name, len(got), len(page), width)
			}
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width && !strings.HasPrefix(line, "    ") && len(strings.Fields(line)) > 2 {
					t.Errorf("%s: line of %d at width %d: %q", name, n, width, line)
				}
				if !strings.HasPrefix(line, "    ") && strings.Contains(line, "**") {
					t.Errorf("%s: Markdown left: %q", name, line)
				}
			}
		}
	}
}
