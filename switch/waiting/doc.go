// Package waiting is call queues: callers wait with music until an agent is free
// and answers. Who waits, and whose turn among the agents it is, is decided in
// state.go, which is pure; queue.go and visit.go carry it out on calls.
//
// It is not switch/queue, which keeps reports until they have arrived.
package waiting
