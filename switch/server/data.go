package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// data is the data folder (contract.md "Config": data).
type data struct {
	dir        string
	recordings *os.Root
	media      *os.Root
	voicemail  *os.Root
	scripts    *os.Root // what the console edits
	key        []byte   // secret.key: signs the addresses of recordings
}

// openData makes the folder with all that belongs into it, if it is not there.
func openData(dir string) (*data, error) {
	for _, d := range []string{"recordings", "media", "scripts", "voicemail", "calls"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o750); err != nil {
			return nil, fmt.Errorf("server: data folder: %w", err)
		}
	}
	d := &data{dir: dir}
	var err error
	if d.recordings, err = os.OpenRoot(filepath.Join(dir, "recordings")); err != nil {
		return nil, fmt.Errorf("server: data folder: %w", err)
	}
	if d.media, err = os.OpenRoot(filepath.Join(dir, "media")); err != nil {
		return nil, fmt.Errorf("server: data folder: %w", err)
	}
	if d.voicemail, err = os.OpenRoot(filepath.Join(dir, "voicemail")); err != nil {
		return nil, fmt.Errorf("server: data folder: %w", err)
	}
	if d.scripts, err = os.OpenRoot(filepath.Join(dir, "scripts")); err != nil {
		return nil, fmt.Errorf("server: data folder: %w", err)
	}
	if d.key, err = secretKey(filepath.Join(dir, "secret.key")); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return d, nil
}

func (d *data) close() {
	d.recordings.Close()
	d.media.Close()
	d.voicemail.Close()
	d.scripts.Close()
}

// secretKey reads the key, or makes one that only we may read.
func secretKey(file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	if err == nil && len(key) >= 32 {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, key, 0o600); err != nil {
		return nil, err
	}
	return key, os.Rename(tmp, file)
}
