package host

import (
	"fmt"
	"testing"
	"time"

	"github.com/multiformats/go-multiaddr"
)

// Others see where the port that is listened on leads from only if it is dialled
// from.
func TestADialThatWasGivenUpIsSoonForgotten(t *testing.T) {
	t.Parallel()
	now, there := time.Unix(1000, 0), multiaddr.StringCast("/ip4/1.2.3.4/tcp/1")
	var g givenUp
	if g.lately(there, now) {
		t.Error("none was given up")
	}
	g.note(there, now)
	if !g.lately(there, now.Add(unanswered-1)) || g.lately(multiaddr.StringCast("/ip4/1.2.3.4/tcp/2"), now) {
		t.Error("not remembered, or another address with it")
	}
	if g.lately(there, now.Add(unanswered)) {
		t.Error("remembered when no answer can come any more")
	}
	for i := range 1000 {
		g.note(multiaddr.StringCast(fmt.Sprintf("/ip4/1.2.3.4/tcp/%d", 1+i)), now.Add(time.Duration(i)*unanswered/10))
	}
	if len(g.at) != 10 {
		t.Errorf("%d are remembered", len(g.at))
	}
}
