package groups

import (
	"context"
	"testing"

	"github.com/tom-protocol/tom/groups/seat"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// notebook is the lines of a node that is connected with everybody, on paper.
type notebook struct{ frames [][]byte }

func (n *notebook) SendGroup(_ protocols.Key, frame []byte) error {
	n.frames = append(n.frames, frame)
	return nil
}
func (n *notebook) SendHub(to protocols.Key, frame []byte) error { return n.SendGroup(to, frame) }
func (n *notebook) Connected(protocols.Key) bool                 { return true }
func (n *notebook) Connect(context.Context, protocols.Key) error { return nil }

// A page goes to members that lack the same at another time too, and is encoded once.
func TestAPageIsEncodedOnceForThoseWhoLackItLater(t *testing.T) {
	t.Parallel()
	var lines notebook
	r := &room{s: &Service{dialer: newDialer(&lines, newCounters(nil))}}
	page := wire.Records{Runs: []wire.Run{}, Entries: [][]byte{}}.FanOut()
	for _, to := range []protocols.Key{{1}, {2}} {
		r.sendAll([]seat.Send{{To: to, Frame: page}})
	}
	r.send(protocols.Key{3}, page)
	for i, f := range lines.frames {
		if &f[0] != &lines.frames[0][0] {
			t.Errorf("the frame to member %d was encoded anew", i)
		}
	}
	if len(lines.frames) != 3 {
		t.Errorf("%d frames were sent", len(lines.frames))
	}
}
