package syntax

type parser struct {
	Options
	file *File
}

func (p *parser) parse(src []byte) error {
	return &Error{File: p.Name, Code: "OZ1001", Msg: "the reader is not built yet"}
}
