package ozml

// Configs is the configuration as the HTTP API sees and changes it. The live one
// is the server's, for the rights of one user.
type Configs interface{}
