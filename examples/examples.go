// Package examples gives the program the files of this folder that it shows to
// its users.
package examples

import "embed"

// helloApp is the same small web app in five languages.
//
//go:embed hello-app/ivr.php hello-app/app.py hello-app/app.mjs hello-app/App.cs hello-app/main.go
var helloApp embed.FS

// A Sample is one file of hello-app. Ready it listens on 127.0.0.1:8000.
type Sample struct {
	Language string // "PHP"
	File     string // "ivr.php"
	Run      string // the shell command that starts it in its folder
	URL      string // where it then answers
	Text     string // the file as it is
}

// HelloApp gives the samples in the order in which they are shown.
func HelloApp() []Sample {
	all := []Sample{
		{"PHP", "ivr.php", "php -S 127.0.0.1:8000", "http://127.0.0.1:8000/ivr.php", ""},
		{"Python", "app.py", "python3 app.py", "http://127.0.0.1:8000/", ""},
		{"Node", "app.mjs", "node app.mjs", "http://127.0.0.1:8000/", ""},
		{"C#", "App.cs", "dotnet run App.cs", "http://127.0.0.1:8000/", ""},
		{"Go", "main.go", "go run main.go", "http://127.0.0.1:8000/", ""},
	}
	for i := range all {
		src, err := helloApp.ReadFile("hello-app/" + all[i].File)
		if err != nil {
			panic(err) // the list above and the embedded files differ; TestHelloApp reads all
		}
		all[i].Text = string(src)
	}
	return all
}
