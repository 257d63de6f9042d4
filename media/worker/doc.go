// Package worker runs foreign engines (voice, mp3) in processes of their own: the same program, executed again with
// arguments such as "worker tts". A child is kept alive, has lower priority than the switch, does one job at a time
// over its standard input and output, and is killed when a job takes too long. What Go cannot preempt therefore never
// runs beside calls (house decision 10), and a crash costs one process and no call.
//
// It is not a job queue for others: a Pool lives and dies with the switch, keeps nothing on disk and knows nothing of
// what its jobs mean.
//
// Start reading at Pool (the switch's side) and Serve (the child's side); frame.go is what travels between them.
package worker
