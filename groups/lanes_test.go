package groups

import (
	"crypto/ed25519"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// sender is the far end of a stream.
type sender struct{ key protocols.Key }

func (s sender) Peer() protocols.Key { return s.key }
func (s sender) Misbehaved(error)    {}

// While a room is behind only so much of a member waits for it, in frames and in what
// they hold: the 256 records of a frame of 6 KB take 250 KB. Others wait for nobody.
func TestWhatWaitsOfAMemberIsBounded(t *testing.T) {
	t.Parallel()
	signer := protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	list := make([]wire.Record, 256)
	for i := range list {
		list[i] = wire.Record{ID: wire.RecordID{byte(i)}, Kind: wire.KindMessage}
	}
	for name, c := range map[string]struct{ records, most int }{"of one record": {1, laneTokens}, "of many": {len(list), 10}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame := wire.AppendFrame(nil, &wire.Publish{Records: wire.SignRecords(signer, list[:c.records])})
			synctest.Test(t, func(t *testing.T) {
				r := &room{inbox: make(chan func(now time.Time), maxInbox), closed: make(chan struct{}), lanes: newLanes()}
				defer close(r.closed)
				r.nodes.Store(&map[protocols.Key]bool{{}: true, {1}: true, {2}: true})
				bring := func(of protocols.Key, each int) {
					for range each {
						go func() {
							f, err := wire.ParseGroupFrame(protocols.Main, frame)
							if err != nil {
								t.Error(err)
							}
							r.receive(sender{of}, f)
						}()
					}
					synctest.Wait()
				}
				r.s = &Service{}
				bring(protocols.Key{1}, 100)
				waits := len(r.inbox)
				if waits < 5 || waits > c.most {
					t.Errorf("%d frames of %d bytes wait", waits, len(frame))
				}
				bring(protocols.Key{2}, 1)
				if len(r.inbox) != waits+1 {
					t.Error("another waits for it")
				}
			})
		})
	}
}

// Whoever waits with a large frame gets in, though many do and small ones come between.
func TestAllThatWaitGetIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, closed := newLane(), make(chan struct{})
		var work sync.WaitGroup
		in := make(chan int, 1000)
		for i := range 200 {
			n := []int{1, laneTokens, laneTokens/2 + 1}[i%3]
			work.Go(func() {
				if l.enter(closed, n) {
					in <- n
				}
			})
		}
		for range 200 {
			l.leave(<-in)
		}
		work.Wait()
		if len(l.tokens) > 0 {
			t.Errorf("%d tokens are taken", len(l.tokens))
		}
	})
}
