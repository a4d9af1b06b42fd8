package links

import "github.com/libp2p/go-libp2p/core/peer"

// Overlook forgets a neighbour, as if the word of its connection had not come
// yet.
func (l *Links) Overlook(p peer.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.peers, p)
}

// Freeze has nothing be tended until wake is called, as when the device sleeps.
func (l *Links) Freeze() (wake func()) {
	l.mu.Lock()
	frozen := l.agenda
	l.agenda = nil
	for _, t := range frozen {
		t.index = -1
	}
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.agenda = frozen
		for i, t := range frozen {
			t.index = i + 1
		}
		l.sooner <- struct{}{}
	}
}
