package discovery

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

func TestMissesAreFewAndShort(t *testing.T) {
	t.Parallel()
	var m misses
	now := time.Unix(1e9, 0)
	if m.lately("bob", now) {
		t.Error("missed before anybody looked")
	}
	m.note("bob", now)
	if !m.lately("bob", now.Add(missLife-1)) || m.lately("bob", now.Add(missLife)) {
		t.Errorf("not for %v", missLife)
	}
	for i := range 10 * maxMisses {
		m.note(peer.ID(fmt.Sprint(i)), now)
	}
	if len(m.at) > maxMisses {
		t.Errorf("%d are remembered", len(m.at))
	}
	if m.note("carol", now.Add(missLife)); len(m.at) != 1 {
		t.Errorf("%d are remembered for longer", len(m.at)-1)
	}
}

func TestDHTLooksForNobodyTwiceAtOnce(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.dhtCrowd(6)
		h := s.host(20)
		find := func() (time.Duration, error) {
			begun := time.Now()
			_, err := all[1].Find(t.Context(), h.ID())
			return time.Since(begun), err
		}
		if took, err := find(); !errors.Is(err, ErrNotFound) || took == 0 {
			t.Errorf("%v after %v", err, took)
		}
		if took, err := find(); !errors.Is(err, ErrNotFound) || took != 0 {
			t.Errorf("looked again: %v after %v", err, took)
		}
		s.connect(h, all[3].Host)
		time.Sleep(missLife)
		if _, err := find(); err != nil {
			t.Errorf("came, and is not found: %v", err)
		}
	})
}
