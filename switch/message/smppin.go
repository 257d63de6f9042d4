package message

import (
	"strings"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// deliver takes an incoming message or receipt. Its error says why it cannot
// be read.
func (se *session) deliver(f frame) error {
	coding, err := f.deliverCoding()
	if err != nil {
		return err
	}
	p, err := f.parse()
	d, ok := p.(*pdu.DeliverSM)
	if err != nil || !ok {
		return err
	}
	now := time.Now()
	from, to := inAddress(d.SourceAddr), inAddress(d.DestAddr)
	body, where, err := userData(d)
	if err != nil {
		return err
	}
	text, readable := alphabetOf(coding).text(body)
	if d.EsmClass&0x3C == data.SM_SMSC_DLV_RCPT_TYPE || d.EsmClass&0x20 != 0 {
		se.receipt(now, d, text, from, to)
		return nil
	}
	if !readable {
		se.s.cfg.Log.Warn("message: a message of binary data is left out", "from", from, "to", to, "bytes", len(body), "data_coding", coding)
		return nil
	}
	for _, m := range se.s.join.add(now, from, to, where, text) {
		tell(se.s.cfg.Log, se.s.events.Received, m)
	}
	return nil
}

func (se *session) receipt(now time.Time, d *pdu.DeliverSM, text, from, to string) {
	id := d.OptionalParameters[pdu.TagReceiptedMessageID]
	state := d.OptionalParameters[pdu.TagMessageStateOption]
	var st byte
	if len(state.Data) == 1 {
		st = state.Data[0]
	}
	n, ok := readReceipt(text, id.String(), st)
	if !ok {
		se.s.cfg.Log.Warn("message: a delivery report cannot be read", "from", from, "text", plain(text))
		return
	}
	se.s.mu.Lock()
	r, ok := se.s.ledger.take(now, n, from, to)
	se.s.mu.Unlock()
	if ok {
		tell(se.s.cfg.Log, se.s.events.Delivered, r)
	}
}

// userData gives the octets of the text, without header, and which part it is:
// by the header, or by the sar parameters (SMPP 3.4, 5.3.2.22 to 24).
func userData(d *pdu.DeliverSM) ([]byte, part, error) {
	body, err := d.Message.GetMessageData()
	if err != nil {
		return nil, part{}, err
	}
	var where part
	long := d.OptionalParameters[pdu.TagMessagePayload].Data
	switch {
	case len(body) == 0 && len(long) > 0:
		body = long
		if d.EsmClass&data.SM_UDH_GSM != 0 {
			if where, body, err = readHeader(long); err != nil {
				return nil, part{}, err
			}
		}
	case len(d.Message.UDH()) > 0: // the library has cut it off
		h, err := d.Message.UDH().MarshalBinary()
		if err != nil {
			return nil, part{}, err
		}
		if where, _, err = readHeader(h); err != nil {
			return nil, part{}, err
		}
	}
	number := func(t pdu.Tag, bytes int) (v int) {
		b := d.OptionalParameters[t].Data
		if len(b) != bytes {
			return 0
		}
		for _, c := range b {
			v = v<<8 | int(c)
		}
		return v
	}
	if sar := (part{uint16(number(pdu.TagSarMsgRefNum, 2)), number(pdu.TagSarTotalSegments, 1), number(pdu.TagSarSegmentSeqnum, 1)}); where.total == 0 &&
		sar.total > 1 && sar.number >= 1 && sar.number <= sar.total {
		where = sar
	}
	return body, where, nil
}

func inAddress(a pdu.Address) string {
	s := plain(a.Address())
	if a.Ton() == data.GSM_TON_INTERNATIONAL && !strings.HasPrefix(s, "+") {
		return "+" + s
	}
	return s
}
