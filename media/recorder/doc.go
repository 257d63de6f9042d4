// Package recorder writes what the two sides of a call say to growing WAV files and gives them their names when they
// are whole.
//
// The thread that paces the call only copies payload (Recording.Write). A few goroutines decode, mix, detect the
// caller's voice and write; one round a second brings all files to the disk. A file is called NAME.part until it is
// whole (decision 4.4), and a journal in the recordings folder names those that run, so that Recover finishes them
// after a crash.
//
// It does not decide when a recording ends, nor tell anybody outside: its owner, the call, does. It does not make mp3.
//
// Start reading at Recorder.Start and Recording.Write; work.go is what happens to a block, voice.go tells voice from
// noise, journal.go survives the crash.
package recorder
