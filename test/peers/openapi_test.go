//go:build peers

package peers

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentIsOpenAPI: the document of the JSON API is what Redocly, which reads
// OpenAPI 3.1 by itself, takes for one; and Redocly does find faults.
func TestDocumentIsOpenAPI(t *testing.T) {
	need(t, "node")
	n := serve(t, "http://127.0.0.1:1/", "")
	answer, err := http.Get("http://" + n.http + "/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	doc, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s, %v", answer.StatusCode, tail(string(doc)), err)
	}
	if says, ok := redocly(t, doc); !ok {
		t.Errorf("the document is not valid:\n%s", tail(says))
	}
	for _, fault := range []struct{ was, is string }{
		{`"operationId":"createCall"`, `"operationId":"getCall"`},                             // twice
		{`"$ref":"#/components/schemas/CallRequest"`, `"$ref":"#/components/schemas/NoSuch"`}, // leads nowhere
		{`"type":"object"`, `"type":"thing"`},
	} {
		bad := bytes.Replace(doc, []byte(fault.was), []byte(fault.is), 1)
		if bytes.Equal(bad, doc) {
			t.Errorf("the document has no %s", fault.was)
		} else if _, ok := redocly(t, bad); ok {
			t.Errorf("with %s for %s it is taken, too", fault.is, fault.was)
		}
	}
}

// redocly tells what Redocly says of a document, and whether it is good.
func redocly(t *testing.T, doc []byte) (says string, ok bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "openapi.json")
	write(t, file, string(doc))
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	c := exec.CommandContext(ctx, "node", "node_modules/@redocly/cli/bin/cli.js", "lint", "--extends=recommended", "--format=stylish", file)
	c.Dir, c.Env = "../browser", append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	out, err := c.CombinedOutput()
	if says = string(out); !strings.Contains(says, "validated in") {
		t.Fatalf("redocly did not run: %v\n%s", err, tail(says))
	}
	return says, err == nil
}
