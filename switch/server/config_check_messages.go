package server

import (
	"errors"
	"fmt"
	"strings"

	"ozswitch/switch/message"
)

// messages looks at mail: and sms:, as those who will use them do.
func (v *validator) messages() {
	c := v.c
	v.oneOf("mail.tls", c.Mail.TLS, message.TLSRequired, message.TLSImplicit, message.TLSOff)
	if _, err := c.Mail.mailer(nil); err != nil {
		v.fault("mail", err)
	}
	v.oneOf("sms.type", c.SMS.Type, "smpp", "http")
	if c.SMS.Type == "" && c.SMS.Address != "" {
		v.err("sms.type", "an address is given and no type: smpp or http")
	}
	if err := c.SMS.check(); err != nil {
		v.fault("sms", err)
	}
	for i, r := range c.SMS.Receive {
		path := fmt.Sprintf("sms.receive[%d]", i)
		e := c.find(r.To)
		switch {
		case e == nil:
			v.err(path+".to", "there is no extension %q", r.To)
		case e.Type != "api" && e.Type != "script" && e.Type != "phone":
			v.err(path+".to", "extension %s cannot take a text message: want type api, script or phone", r.To)
		}
	}
	if c.SMS.Type == "http" && c.SMS.Token == "" {
		v.warn("sms.token", "there is none: nothing that the service posts to /sms is taken, neither messages nor delivery reports")
	}
}

// fault tells what package message says of a key.
func (v *validator) fault(path string, err error) {
	f, ok := errors.AsType[*message.Fault](err)
	switch {
	case !ok:
		v.err(path, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	case f.Cure != "":
		v.err(f.Place, "%s; %s", f.Cause, f.Cure)
	default:
		v.err(f.Place, "%s", f.Cause)
	}
}
