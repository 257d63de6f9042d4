package registrar

// Knows tells whether there is an account of that number. It is for our own
// decisions: a far end must not learn it.
func (a *Auth) Knows(number string) bool {
	_, ok := a.find(number)
	return ok
}
