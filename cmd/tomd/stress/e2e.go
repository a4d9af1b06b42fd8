package stress

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// e2e holds every message to what the protocol promises of each: sealed for the
// recipient's key of the day, signed for with a receipt that anybody can check,
// and in clear on nobody's disk.
func (s *stage) e2e(ctx context.Context) error {
	here, there, err := s.pair(ctx)
	if err != nil {
		return err
	}
	s.sending = time.Now()
	span := s.left(0.7)
	if err := s.steadily(ctx, here, there, s.cfg.every(20), span); err != nil {
		return err
	}
	s.sent = time.Now()
	if err := s.conclude(ctx, here, s.hearers()...); err != nil {
		return err
	}
	if err := s.checkReceipts(ctx, here.client); err != nil {
		return err
	}
	return s.checkDisks(s.members()...)
}

// checkReceipts checks the receipt of each message, and that one that was changed
// does not pass.
func (s *stage) checkReceipts(ctx context.Context, client *localapi.Client) error {
	var ids []string
	s.book.do(func(l *ledger.Ledger) { ids = l.IDs() })
	var sealed, valid, forged int
	for _, id := range ids {
		m, err := client.Message(ctx, id)
		if err != nil {
			return err
		}
		sealed += btoi(m.ForwardSecret)
		r, err := client.Receipt(ctx, id)
		if err != nil {
			continue // it is missing in valid
		}
		if r.ID == id && s.cfg.Verify(r) == nil {
			valid++
		}
		forged += btoi(s.cfg.Verify(changed(r)) == nil)
	}
	s.result.Want(
		verdict.Exactly("sealed for a key of the day", sealed, len(ids)),
		verdict.Exactly("receipts that verify", valid, len(ids)),
		verdict.None("changed receipts that verify", forged),
	)
	return nil
}

// changed is a receipt with another byte in the middle.
func changed(r localapi.Receipt) localapi.Receipt {
	r.Receipt = slices.Clone(r.Receipt)
	if len(r.Receipt) > 0 {
		r.Receipt[len(r.Receipt)/2] ^= 1
	}
	return r
}

// looked for are the fillings of so many messages, and of each so many bytes: as
// they are random, no compression takes them apart.
const (
	needles    = 20
	needleSize = 24
)

// checkDisks looks for what was sent in the data of daemons.
func (s *stage) checkDisks(members ...*fleet.Member) error {
	wanted := s.needles()
	files, found := 0, 0
	for _, m := range members {
		err := filepath.WalkDir(m.Data(), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
				return nil // the daemon has removed it meanwhile; sockets
			}
			if err != nil {
				return err
			}
			files++
			holds, err := contains(path, wanted)
			found += btoi(holds)
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(members) > 0 {
		s.result.Want(
			verdict.AtLeast("files looked into", files, len(members)),
			verdict.None("files with what was sent in clear", found),
		)
	}
	return nil
}

// needles are pieces of what was sent.
func (s *stage) needles() (all [][]byte) {
	s.book.do(func(l *ledger.Ledger) {
		for _, k := range l.Keys(needles) {
			p := Probe{Run: s.book.run, From: k.From, To: k.To, N: k.N}
			all = append(all, p.filling(needleSize))
		}
	})
	return all
}

func contains(path string, wanted [][]byte) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	for _, piece := range wanted {
		if bytes.Contains(content, piece) {
			return true, err
		}
	}
	return false, err
}
