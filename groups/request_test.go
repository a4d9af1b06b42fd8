package groups_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/groupstest"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/message"
)

// All keys are lost, by the hub and by post, and what answers who asks for them. Who
// lacks one asks soon again, then less and less often, and reads soon after one came.
func TestWhoLacksAKeyAsksSoonAgain(t *testing.T) {
	t.Parallel()
	starred(t, 3, func(c *crowd, _ *groupstest.Node) {
		author, other := c.nodes[1], c.nodes[2]
		var found atomic.Bool
		author.PostLost = func(_ protocols.Key, contentType string) bool {
			return contentType == message.TypeSenderKey && !found.Load()
		}
		c.withheld()
		c.town.Cut(func(_, _ protocols.Key) bool { return false })
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("one"))
		c.must(err)
		for _, x := range []struct {
			pass time.Duration
			want int
		}{{40 * time.Second, 2}, {time.Minute, 3}, {18 * time.Minute, 7}, {time.Hour, 13}} {
			virtual.Pass(x.pass)
			if n := other.Posted(author.Key); n != x.want {
				c.t.Errorf("%v later it has asked %d times, and not %d", x.pass, n, x.want)
			}
		}
		other.Stop()
		c.must(other.Start())
		virtual.Pass(20 * time.Second)
		found.Store(true)
		c.readBy(other, 2*time.Minute, "one")
		asked := other.Posted(author.Key)
		virtual.Pass(time.Hour)
		if n := other.Posted(author.Key); n != asked {
			c.t.Errorf("it asks %d times more for what it has", n-asked)
		}
	})
}

// A member writes under chain after chain, and gives nobody a key. It is asked for a few
// of them, and does not hold up that another is asked.
func TestAMemberIsAskedForAFewChains(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, hub *groupstest.Node) {
		evil, author, victim := c.nodes[1], c.nodes[2], c.nodes[3]
		c.writesSealed(evil, hub, 100)
		author.PostLost = func(protocols.Key, string) bool { return true }
		c.withheld()
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("one"))
		c.must(err)
		virtual.Pass(40 * time.Second)
		if n, other := victim.Posted(evil.Key), victim.Posted(author.Key); n != 16 || other != 2 {
			c.t.Errorf("one who gives no keys is asked %d times, another %d", n, other)
		}
	})
}

// writesSealed has a node write under so many chains that nobody has.
func (c *crowd) writesSealed(evil, hub *groupstest.Node, chains int) {
	c.t.Helper()
	list := make([]wire.ChainID, chains)
	for i := range list {
		list[i][0] = byte(i + 1)
		copy(list[i][1:], evil.Key[:8])
	}
	c.writesUnder(evil, hub, list...)
}

// writesUnder has a node write under chains.
func (c *crowd) writesUnder(evil, hub *groupstest.Node, chains ...wire.ChainID) {
	c.t.Helper()
	var records []wire.Record
	for i, chain := range chains {
		m := wire.Message{Chain: chain, Ciphertext: make([]byte, 64)}
		records = append(records, wire.Record{
			Group: c.group, ID: wire.RecordID{byte(i + 1)}, Kind: wire.KindMessage, Time: wire.Millis(time.Now().UnixMilli()), Payload: m.Append(nil),
		})
	}
	f := &wire.Publish{Group: c.group, Records: wire.SignRecords(evil.Signer, records)}
	c.must(c.town.Inject(evil, hub, false, wire.AppendFrame(nil, f)))
}

// A member writes under the chain of another, and is sooner. The other is asked for it
// all the same.
func TestAChainIsAskedForFromWhoWritesUnderIt(t *testing.T) {
	t.Parallel()
	starred(t, 4, func(c *crowd, hub *groupstest.Node) {
		evil, author, victim := c.nodes[1], c.nodes[2], c.nodes[3]
		var sooner atomic.Bool
		seen := make(chan wire.ChainID, 1)
		author.PostLost = func(protocols.Key, string) bool { return true }
		c.town.Drop(func(from, _ protocols.Key, onHub bool, frame []byte) bool {
			f, published := frameOf[*wire.Publish](onHub, frame)
			if !published || from != author.Key || sooner.Load() {
				return passes(onHub, frame)
			}
			if rec, err := wire.ParseRecord(f.Records[0]); err == nil {
				if m, err := wire.ParseMessage(rec.Payload); err == nil {
					select {
					case seen <- m.Chain:
					default:
					}
				}
			}
			return true
		})
		_, err := author.Send(c.t.Context(), c.group, "text/plain", []byte("one"))
		c.must(err)
		c.writesUnder(evil, hub, <-seen)
		virtual.Pass(time.Second)
		sooner.Store(true)
		virtual.Pass(time.Minute)
		if n, other := victim.Posted(evil.Key), victim.Posted(author.Key); n == 0 || other == 0 {
			c.t.Errorf("who wrote under it first is asked %d times, whose it is %d", n, other)
		}
	})
}

// Many give nobody a key. They are not all asked at once.
func TestOnlySoManyChainsAreAskedForAtOnce(t *testing.T) {
	t.Parallel()
	starred(t, 11, func(c *crowd, hub *groupstest.Node) {
		victim := c.nodes[10]
		for _, n := range c.nodes[1:10] {
			c.writesSealed(n, hub, 8)
		}
		for _, want := range []int{64, 64 + 64} { // of 72, and then again of all
			virtual.Pass(16 * time.Second)
			asked := 0
			for _, n := range c.nodes[1:10] {
				asked += victim.Posted(n.Key)
			}
			if asked != want {
				c.t.Errorf("%d chains are asked for, and not %d", asked, want)
			}
		}
	})
}
