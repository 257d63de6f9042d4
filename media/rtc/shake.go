package rtc

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/packetio"
)

// A shake is the handshake that agrees on the keys (RFC 5764), and what becomes of
// it: it stays open to tell when the far end closes. To pion it is the socket.
type shake struct {
	w   *Wire
	buf *packetio.Buffer

	mu     sync.Mutex
	conn   *dtls.Conn
	closed bool
}

// maxWaiting is how many bytes of DTLS wait to be read: a few flights.
const maxWaiting = 64 << 10

func newShake(w *Wire) *shake {
	s := &shake{w: w, buf: packetio.NewBuffer()}
	s.buf.SetLimitSize(maxWaiting)
	return s
}

// put takes a DTLS packet; it is the reader's.
func (s *shake) put(b []byte) { s.buf.Write(b) }

// profiles are in our order: GCM costs less, all browsers know the other.
var profiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}

var errFingerprint = errors.New("rtc: the far end showed another certificate than SDP named: someone may be listening in, so the call ends")

// run agrees on the keys, as client or server, with whoever has the certificate
// with that hash; then it waits for the end.
func (s *shake) run(client bool, hash string) {
	w := s.w
	defer func() {
		if v := recover(); v != nil {
			w.p.panicked(v)
			w.failed(errors.New("rtc: a fault of the switch ended the handshake"))
		}
	}()
	if client { // a greeting before there is a way would cost a second
		select {
		case <-w.found:
		case <-w.ctx.Done():
			return
		}
	}
	wrong := false
	options := []dtls.Option{
		dtls.WithCertificates(w.p.cert), dtls.WithSRTPProtectionProfiles(profiles...),
		dtls.WithInsecureSkipVerify(true), // by its fingerprint instead
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || fingerprint(raw[0]) != hash {
				wrong = true
				return errFingerprint
			}
			return nil
		}),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithFlightInterval(500 * time.Millisecond), dtls.WithMTU(1200), dtls.WithLoggerFactory(quiet{}),
	}
	var conn *dtls.Conn
	var err error
	if client {
		var o []dtls.ClientOption
		for _, x := range options {
			o = append(o, x)
		}
		conn, err = dtls.ClientWithOptions(s, s.LocalAddr(), o...)
	} else {
		// ICE has shown that the far end is where it says: no cookie is needed.
		o := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
		for _, x := range options {
			o = append(o, x)
		}
		conn, err = dtls.ServerWithOptions(s, s.LocalAddr(), o...)
	}
	if err == nil && !s.keep(conn) {
		return
	}
	if err == nil {
		err = conn.HandshakeContext(w.ctx)
	}
	if err == nil {
		err = s.agreed(conn, client)
	}
	if err != nil {
		if wrong {
			err = errFingerprint
		} else {
			err = fmt.Errorf("rtc: the DTLS handshake failed: %w", err)
		}
		w.failed(err)
		return
	}
	if w.c.Up != nil {
		w.c.Up()
	}
	b := make([]byte, mtu)
	for {
		if _, err := conn.Read(b); err != nil {
			w.left.Store(time.Now().UnixNano())
			return
		}
	}
}

// agreed sets the keys.
func (s *shake) agreed(conn *dtls.Conn, client bool) error {
	p, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return errors.New("no way to protect RTP was agreed")
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return errors.New("it has no state")
	}
	c := &srtp.Config{}
	switch p {
	case dtls.SRTP_AEAD_AES_128_GCM:
		c.Profile = srtp.ProtectionProfileAeadAes128Gcm
	default:
		c.Profile = srtp.ProtectionProfileAes128CmHmacSha1_80
	}
	if err := c.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return err
	}
	out, err := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		return err
	}
	in, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile,
		srtp.SRTPReplayProtection(128), srtp.SRTCPReplayProtection(128))
	if err != nil {
		return err
	}
	s.w.heard.Store(time.Now().UnixNano())
	s.w.keys.Store(&keys{out, in})
	return nil
}

func (s *shake) keep(c *dtls.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
	return !s.closed
}

// close tells the far end that we leave.
func (s *shake) close() {
	s.mu.Lock()
	c := s.conn
	s.closed = true
	s.mu.Unlock()
	if c != nil && s.w.keys.Load() != nil {
		c.Close()
	}
	s.w.end()
	s.buf.Close()
}

// The rest is net.PacketConn.

func (s *shake) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := s.buf.Read(b)
	return n, s.LocalAddr(), err
}

// WriteTo sends to where ICE says, whatever the address.
func (s *shake) WriteTo(b []byte, _ net.Addr) (int, error) {
	to := s.w.path.Load()
	if to == nil {
		return len(b), nil // lost, as it may be on the way; it is sent again
	}
	return s.w.p.conn.WriteToUDPAddrPort(b, *to)
}

func (s *shake) Close() error                      { return nil }
func (s *shake) LocalAddr() net.Addr               { return net.UDPAddrFromAddrPort(s.w.p.local) }
func (s *shake) SetDeadline(t time.Time) error     { return s.buf.SetReadDeadline(t) }
func (s *shake) SetReadDeadline(t time.Time) error { return s.buf.SetReadDeadline(t) }
func (s *shake) SetWriteDeadline(time.Time) error  { return nil }
