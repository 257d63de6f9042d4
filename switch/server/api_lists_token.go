package server

import (
	"context"

	"ozswitch/ozml"
)

// Token implements ozml.Lists.
func (l *lists) Token(context.Context, ozml.TokenRequest) (t ozml.SecurityToken, err error) {
	return t, &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "there are no tokens here"}
}
