package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/relay/reputation"
)

// maxFile is more than a full book takes.
const maxFile = 4 << 20

// row is a record in the file: a JSON array of them.
type row struct {
	Peer []byte `json:"peer"`
	reputation.Record
}

// openBook reads what was measured in earlier runs. A file that is damaged is
// begun anew: nothing depends on it but a good choice.
func openBook(path string, now time.Time) (*reputation.Book, error) {
	if path == "" {
		return reputation.NewBook(now, nil), nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return reputation.NewBook(now, nil), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was measured of peers: %w", err)
	}
	defer f.Close()
	var rows []row
	if err := json.NewDecoder(io.LimitReader(f, maxFile)).Decode(&rows); err != nil {
		logger.Warnw("what was measured of peers is not readable and begins anew", "err", err)
		rows = nil
	}
	records := make([]reputation.Record, 0, len(rows))
	for _, r := range rows {
		if len(r.Peer) == protocols.KeySize {
			r.Record.Peer = protocols.Key(r.Peer)
			records = append(records, r.Record)
		}
	}
	return reputation.NewBook(now, records), nil
}

// keepBook writes what was measured, if it has changed.
func (s *Service) keepBook() {
	s.mu.Lock()
	records, unsaved := []reputation.Record(nil), s.unsaved
	if unsaved = unsaved && s.cfg.File != ""; unsaved {
		records = s.book.Records(s.cfg.Now())
	}
	s.unsaved = false
	s.mu.Unlock()
	if !unsaved {
		return
	}
	if err := writeRecords(s.cfg.File, records); err != nil {
		logger.Errorw("what was measured of peers is not written", "err", err)
	}
}

// writeRecords replaces the file, so that a crash leaves the old one or the new.
func writeRecords(path string, records []reputation.Record) error {
	rows := make([]row, len(records))
	for i, r := range records {
		rows[i] = row{Peer: r.Peer[:], Record: r}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
