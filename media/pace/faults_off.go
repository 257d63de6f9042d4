//go:build !faults

package pace

// inject does nothing in a normal build; see faults_on.go.
func inject(string, string) {}
