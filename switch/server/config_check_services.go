package server

import (
	"strings"
)

// services checks what conferences, queues and mailboxes want, and srtp.
func (v *validator) services(path string, e Extension, known map[string]bool) {
	v.oneOf(path+".srtp", e.SRTP, "off", "optional", "mandatory")
	v.pin(path+".pin", e.PIN)
	v.pin(path+".admin_pin", e.AdminPIN)
	v.pin(path+".voicemail.pin", e.Mailbox.PIN)
	if e.PIN != "" && e.PIN == e.AdminPIN {
		v.err(path+".admin_pin", "it is the same as pin: everybody would be the host")
	}
	if e.Max < 0 {
		v.err(path+".max", "want a number above 0")
	}
	if e.Overflow == e.Number && e.Overflow != "" {
		v.err(path+".overflow", "%s would send its callers to itself", e.Number)
	}
	if m := e.Mailbox.Email; m != "" {
		if !strings.Contains(m, "@") {
			v.err(path+".voicemail.email", "%q is no address of mail", m)
		} else if v.c.Mail.Server == "" {
			v.warn(path+".voicemail.email", "no mail goes out: mail.server is missing")
		}
	}
}

// pin checks a PIN: keys that everybody has, and # ends it.
func (v *validator) pin(path string, p Secret) {
	if p == "" {
		return
	}
	if len(p) > 16 || strings.Trim(string(p), "0123456789") != "" {
		v.err(path, "want up to 16 digits")
	} else if len(p) < 4 && v.c.Public() {
		v.err(path, "fewer than 4 digits are soon guessed, and the switch listens beyond loopback")
	}
}

// find gives the extension with a number, as configured; nil if there is none.
func (c *Config) find(number string) *Extension {
	for i := range c.Extensions {
		if c.Extensions[i].Number == number {
			return &c.Extensions[i]
		}
	}
	return nil
}
