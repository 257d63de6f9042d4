package ozml

// Lists is what the HTTP API can ask of the switch: the history, extensions,
// address books. The live one is the server's, for the rights of one user.
type Lists interface{}
