package command_test

import (
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

const docs = "../../docs/ozml"

// TestGenerated fails when docs/ozml is not what the code says; go generate
// ./ozml/... writes it.
func TestGenerated(t *testing.T) {
	table := command.Table()
	asJSON, err := table.ManualJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"README.md":        table.ManualIndex(),
		"errors.md":        ozml.ManualErrors(),
		"notifications.md": ozml.ManualNotifications(),
		"ozml.xsd":         table.Schema(),
		"ozml.json":        asJSON,
		"http-api.md":      table.ManualAPI(),
	}
	for _, p := range table.Manual() {
		want[strings.ToLower(p.Name)+".md"] = p.Markdown()
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.MkdirAll(docs, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := os.ReadDir(docs)
	if err != nil {
		t.Fatalf("%v; run go generate ./ozml/...", err)
	}
	for _, f := range files {
		if _, ok := want[f.Name()]; !ok {
			t.Errorf("docs/ozml/%s belongs to no command; remove it", f.Name())
		}
	}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(docs, name)); err != nil || string(got) != text {
			t.Errorf("docs/ozml/%s is stale (%v); run go generate ./ozml/...", name, err)
		}
	}
}

func TestSchemaIsXML(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(command.Table().Schema()))
	elements := 0
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "element" {
			elements++
		}
	}
	if elements < 20 {
		t.Errorf("schema has %d elements, want one for each command and for what is inside", elements)
	}
}
