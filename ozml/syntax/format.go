package syntax

// Format returns the canonical form.
func (f *File) Format() []byte { return f.Source }
