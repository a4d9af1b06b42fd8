package links_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/links"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/heartbeat"
	"github.com/tom-protocol/tom/protocols/stream"
)

func strangers(c *links.Config) { c.Friend = func(links.Peer) bool { return false } }

func TestCrashedPeerIsNoticedWhereSomebodyWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		a.Watch(b.key(), true)
		virtual.Pass(time.Minute)
		if a.count("down") != 0 {
			t.Fatal("a living peer was taken for dead")
		}
		w.cut(2)
		cut := time.Now()
		a.await("down", 1)
		if took := time.Since(cut); took > 2500*time.Millisecond {
			t.Errorf("the crash was noticed after %v, want at most 2.5s", took)
		}
	})
}

func TestUnansweredEnvelopeFindsTheCrash(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", strangers)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		virtual.Pass(time.Hour)
		w.cut(2)
		sent := time.Now()
		if err := a.SendEnvelope(b.key(), []byte("into the void"), nil); err != nil {
			t.Fatal(err)
		}
		a.await("down", 1)
		if took := time.Since(sent); took > 2700*time.Millisecond {
			t.Errorf("the crash was noticed after %v, want at most 2.7s: 0.5 s until somebody asks, 2 s of a ping", took)
		}
	})
}

func TestWatchAfterTheCrashFindsItToo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		virtual.Pass(10 * time.Minute)
		w.cut(2)
		virtual.Pass(3 * time.Second)
		begun := time.Now()
		a.Watch(b.key(), true)
		a.await("down", 1)
		if took := time.Since(begun); took > 2500*time.Millisecond {
			t.Errorf("the crash was noticed after %v, want at most 2.5s", took)
		}
	})
}

func TestIdlePeersAreHardlyAsked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", func(c *links.Config) {
			c.Friend = func(p links.Peer) bool { return p[0] < 128 }
		})
		friend, _ := join(t, w.newHost(2, keyThat(t, func(p links.Peer) bool { return p[0] < 128 })), "friend", strangers)
		other, _ := join(t, w.newHost(3, keyThat(t, func(p links.Peer) bool { return p[0] >= 128 })), "stranger", strangers)
		a.connect(friend)
		a.connect(other)
		virtual.Pass(time.Hour)
		if got := a.count("beat"); got < 38 || got > 41 {
			t.Errorf("%d beats in an hour, want one each 90 s, to the friend alone", got)
		}
		if friend.count("beat") != 0 || other.count("beat") != 0 {
			t.Error("a stranger was sent beats")
		}
		for _, info := range a.Peers() {
			if info.State != links.Online || info.RTT < 20*time.Millisecond || info.RTT > 25*time.Millisecond {
				t.Errorf("%v after %v, want online after 20ms", info.State, info.RTT)
			}
		}
	})
}

func TestBusyConnectionNeedsNoBeats(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", strangers)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		for i := range 600 {
			if err := a.SendEnvelope(b.key(), fmt.Appendf(nil, "%d", i), nil); err != nil {
				t.Fatal(err)
			}
			virtual.Pass(100 * time.Millisecond)
		}
		a.await("answer re 599", 1)
		if got := a.count("beat"); got != 0 {
			t.Errorf("%d beats beside a conversation", got)
		}
	})
}

func TestRelayThatIsLeantOnIsNoticedDead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", strangers)
		ours, _ := join(t, w.newHost(2, newKey(t)), "ours", strangers)
		stock := w.newHost(3, newKey(t)) // no node of ours
		a.connect(ours)
		if err := a.host.Connect(t.Context(), peer.AddrInfo{ID: stock.ID(), Addrs: stock.Addrs()}); err != nil {
			t.Fatal(err)
		}
		a.Lean([]peer.ID{ours.host.ID(), stock.ID()})
		virtual.Pass(time.Minute)
		if len(a.host.Network().Conns()) != 2 {
			t.Fatal("a living relay was taken for dead")
		}
		w.cut(2)
		w.cut(3)
		virtual.Pass(8100 * time.Millisecond)
		if left := a.host.Network().Conns(); len(left) != 0 {
			t.Errorf("%v still open 8.1 s after the relays died", left)
		}
	})
}

func TestSleeperDoesNotBlameItsPeers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		a.Watch(b.key(), true)
		virtual.Pass(10 * time.Second)
		w.cut(2)
		virtual.Pass(time.Second) // a beat is out, and its answer lost
		wake := a.Freeze()
		virtual.Pass(5 * time.Second)
		w.back(2)
		wake()
		virtual.Pass(5 * time.Second)
		if a.count("down") != 0 {
			t.Error("a peer was taken for dead because this node slept")
		}
	})
}

func TestStatesOfAFriend(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		if s, _, seen := a.StateOf(b.key()); s != links.Offline || !seen.IsZero() {
			t.Errorf("%v, seen %v, of a peer never met", s, seen)
		}
		a.connect(b)
		a.await("online", 1)
		a.Watch(b.key(), true)
		virtual.Pass(time.Second)
		w.cut(2)
		cut := time.Now()
		a.await("stale", 1)
		a.await("offline", 1)
		if took := time.Since(cut); took < 30*time.Second || took > 33*time.Second {
			t.Errorf("offline after %v, want 30 s and 2", took)
		}
		if s, since, seen := a.StateOf(b.key()); s != links.Offline || time.Since(since) > time.Second || seen.After(cut.Add(time.Second)) || seen.Before(cut.Add(-time.Second)) {
			t.Errorf("%v since %v, seen %v; it was cut at %v", s, since, seen, cut)
		}
		w.back(2)
		a.connect(b)
		a.await("online", 2)
		if a.count("stale") != 1 || a.count("offline") != 1 {
			t.Errorf("heard %q", a.heard)
		}
	})
}

func TestQuickReturnIsNotOffline(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		a.await("online", 1)
		a.CloseAll("test")
		a.await("stale", 1)
		virtual.Pass(10 * time.Second)
		a.connect(b)
		a.await("online", 2)
		virtual.Pass(time.Minute)
		if a.count("offline") != 0 {
			t.Error("it was called offline, and was back within 10 s")
		}
	})
}

// A peer that floods loses its stream; one that answers what was never asked
// gains nothing; one that sends nonsense loses its stream too.
func TestHostileBeats(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", strangers)
		evil := w.newHost(2, newKey(t))
		if err := evil.Connect(t.Context(), peer.AddrInfo{ID: a.host.ID(), Addrs: a.host.Addrs()}); err != nil {
			t.Fatal(err)
		}
		answers := func(frames ...[]byte) (n int, err error) {
			s, err := evil.NewStream(t.Context(), a.host.ID(), protocols.HeartbeatProtocol)
			if err != nil {
				t.Fatal(err)
			}
			line := stream.NewLine(s, stream.Limits{})
			defer func() { line.Reset(); <-line.Done() }()
			for _, f := range frames {
				if err := line.Send(f, nil); err != nil {
					return n, err
				}
			}
			for n < len(frames) {
				got, err := line.Receive(nil)
				if err != nil {
					return n, err
				}
				n += len(got)
			}
			return n, nil
		}
		beat := heartbeat.Beat{Counter: 7, Load: 9}.Append(nil)
		few := [][]byte{beat, beat, beat}
		if n, err := answers(few...); n != 3 || err != nil {
			t.Errorf("three beats had %d answers, %v", n, err)
		}
		flood := make([][]byte, 100)
		for i := range flood {
			flood[i] = beat
		}
		if n, err := answers(flood...); err == nil || n > 32 {
			t.Errorf("a flood had %d answers, %v", n, err)
		}
		virtual.Pass(time.Minute)
		if _, err := answers([]byte{0x94, 2, 0xa1, 'x', 0, 0}); err == nil {
			t.Error("nonsense was answered")
		}
		virtual.Pass(time.Minute)
		if n, err := answers(few...); n != 3 || err != nil {
			t.Errorf("later three beats had %d answers, %v", n, err)
		}
	})
}

func TestAnswersNobodyAskedForAreNoBeats(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		liar := w.newHost(2, newKey(t))
		asked := make(chan struct{}, 100)
		liar.SetStreamHandler(protocols.EnvelopeProtocol, func(s network.Stream) { _ = s.Reset() })
		liar.SetStreamHandler(protocols.HeartbeatProtocol, func(s network.Stream) {
			line := stream.NewLine(s, stream.Limits{})
			for {
				frames, err := line.Receive(nil)
				if err != nil {
					line.Close()
					return
				}
				for _, f := range frames {
					if b, err := heartbeat.ParseBeat(f); err == nil {
						asked <- struct{}{}
						_ = line.Send(heartbeat.BeatAnswer{Counter: b.Counter + 1, Time: 1}.Append(nil), nil)
						continue
					}
					_ = line.Send(heartbeat.Hello{Version: 1, Name: "liar", Time: 1}.Append(nil), nil)
				}
			}
		})
		if err := a.ConnectAddr(t.Context(), peer.AddrInfo{ID: liar.ID(), Addrs: liar.Addrs()}); err != nil {
			t.Fatal(err)
		}
		virtual.Pass(time.Hour)
		if len(asked) < 30 {
			t.Errorf("asked %d times, want some 40", len(asked))
		}
		if a.count("beat") != 0 {
			t.Error("an answer to another question was taken for one")
		}
	})
}

func TestPresenceFramesArrive(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := join(t, w.newHost(1, newKey(t)), "alice", nil)
		b, _ := join(t, w.newHost(2, newKey(t)), "bob", nil)
		a.connect(b)
		if err := a.SendPresence(b.key(), []byte{0x92, 3, 0xc0}); err != nil {
			t.Fatal(err)
		}
		b.await("presence 9203c0", 1)
	})
}

// What an hour of a connection costs on which nothing is said. QUIC's keepalive
// is in the packets, and how often it comes is up to chance.
func TestWhatAnHourCosts(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*links.Config)
		begin   func(a, b *party)
		beats   int
		packets int64 // at most
	}{
		"stranger": {strangers, func(a, b *party) {}, 0, 1500},
		"friend":   {nil, func(a, b *party) {}, 40, 1700},
		"relay":    {strangers, func(a, b *party) { a.Lean([]peer.ID{b.host.ID()}) }, 720, 4000},
		"waiting":  {strangers, func(a, b *party) { a.Watch(b.key(), true) }, 1200 + 600, 8000},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a, _ := join(t, w.newHost(1, newKey(t)), "alice", c.change)
				b, _ := join(t, w.newHost(2, newKey(t)), "bob", strangers)
				a.connect(b)
				virtual.Pass(10 * time.Minute)
				c.begin(a, b)
				beats, packets := a.count("beat"), w.sent.Load()
				virtual.Pass(time.Hour)
				beats, packets = a.count("beat")-beats, w.sent.Load()-packets
				if spread := c.beats / 10; beats < c.beats-spread || beats > c.beats {
					t.Errorf("%d beats, want %d", beats, c.beats)
				}
				if packets > c.packets {
					t.Errorf("%d packets, want at most %d", packets, c.packets)
				}
			})
		})
	}
}
