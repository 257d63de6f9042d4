package command_test

import (
	"slices"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
)

// TestTexts: what a document says is known before it runs, as far as its
// variables are.
func TestTexts(t *testing.T) {
	const doc = `<Response>
	<Var ID="name" Value="Bob"/>
	<Speak>Good morning</Speak>
	<Speak Language="en-GB" Voice="rms" Text="Hello $caller"/>
	<Speak>Hello $name</Speak>
	<Speak>You entered $digits</Speak>
	<Speak>That is $$5</Speak>
	<Speak></Speak>
	<Unknown>no command</Unknown>
	<Play File="a.wav"/>
	<UserInput MaxDigits="1">
		<InitialCommands><Speak>Press one</Speak><Speak>Good morning</Speak></InitialCommands>
		<Inputs><Input Key="1"><Speak>One it is</Speak></Input></Inputs>
	</UserInput>
	<ForEach Array="a"><Speak>Item $item</Speak><Speak>And</Speak></ForEach>
	<OnHangup><Speak>nobody hears it</Speak></OnHangup>
</Response>`
	table := command.Table()
	f, err := table.Parse("doc", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	v := ozml.NewVars(map[string]string{"caller": "1001", "digits": ""})
	var got []string
	for _, u := range table.Texts(f, ozml.Extension, v) {
		got = append(got, u.Voice+u.Language+":"+u.Text)
	}
	want := []string{":Good morning", "rmsen-GB:Hello 1001", ":That is $5", ":Press one", ":One it is", ":And"}
	if !slices.Equal(got, want) {
		t.Errorf("Texts = %q\nwant %q", got, want)
	}
	v.Set("name", "Ann")
	if n := len(table.Texts(f, ozml.Extension, v)); n != len(want)+1 {
		t.Errorf("with $name set %d texts, want %d", n, len(want)+1)
	}
}
