package discovery

import (
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
