package holder_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node/holder"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// off keeps nothing for others, so that it is clear who does.
func off(cfg *holder.Config) {
	cfg.Mode, cfg.Expected = holder.Off, false
}

// scene is an author, a recipient who is away, and some who keep things.
type scene struct {
	*rig
	alice, bob *party
	keepers    []*party
}

func newScene(t *testing.T, r *rig, keepers int) *scene {
	t.Helper()
	s := &scene{rig: r, alice: r.add(off), bob: r.add(off)}
	s.bob.goDown()
	for range keepers {
		s.keepers = append(s.keepers, r.add(nil))
	}
	return s
}

// comesBack makes the recipient reachable; everybody who keeps something sees it.
func (s *scene) comesBack() {
	s.bob.mu.Lock()
	s.bob.up = true
	s.bob.mu.Unlock()
	for _, k := range s.keepers {
		k.svc.PeerUp(s.bob.key)
		s.bob.svc.PeerUp(k.key)
	}
}

func TestAMessageIsKeptBroughtAndForgotten(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 5)
		e := s.alice.write(s.bob.key)
		virtual.Pass(time.Second)
		if p := s.alice.placement(); !p.Enough || len(p.Holders) != 3 || p.Live != 3 || p.ID != e.ID {
			t.Fatalf("placed %+v", p)
		}
		if n := s.copies(); n != 3 {
			t.Fatalf("%d copies", n)
		}
		for _, k := range s.keepers {
			if u := k.svc.Usage(); u.Copies == 1 && (u.Recipients != 1 || u.Oldest.IsZero() || u.Bytes < int64(e.Lifetime)/1000) {
				t.Errorf("usage %+v", u)
			}
		}
		s.comesBack()
		virtual.Pass(2 * time.Second)
		if s.bob.have() == 0 {
			t.Fatal("nothing came")
		}
		got := s.bob.fetched[0]
		if got.ID != e.ID || !bytes.Equal(got.Append(nil), e.Append(nil)) {
			t.Error("another envelope came")
		}
		if n := s.copies(); n != 0 {
			t.Errorf("%d copies after the receipt", n)
		}
		if len(s.alice.receipts) == 0 {
			t.Error("the author was not told")
		}
		a, err := s.keepers[0].ask(s.alice, &backup.Store{Envelope: e.Append(nil)})
		if err != nil || a.Code != backup.Gone && a.Code != backup.Stored {
			t.Errorf("stored again: %+v, %v", a, err)
		}
	})
}

func TestNothingIsLeftAfterTheEnd(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 4)
		e := s.alice.write(s.bob.key)
		virtual.Pass(23*time.Hour + 59*time.Minute)
		if n := s.copies(); n < 3 {
			t.Errorf("%d copies before the end", n)
		}
		virtual.Pass(2 * time.Minute)
		if n := s.copies(); n != 0 {
			t.Errorf("%d copies after the end", n)
		}
		for _, k := range s.keepers {
			if b, err := k.store.KeptBytes(e.Digest()); err == nil {
				t.Errorf("%d bytes are readable", len(b))
			}
		}
	})
}

// TestALiarIsFoundOutAndReplaced has one of three sign and keep nothing: it
// answers audits with silence of its memory, with made-up proofs, or with an
// old one.
func TestALiarIsFoundOutAndReplaced(t *testing.T) {
	for name, lie := range map[string]func(e *envelope.Envelope) *backup.Answer{
		"has nothing": func(*envelope.Envelope) *backup.Answer { return &backup.Answer{Code: backup.Hash} },
		"makes it up": func(*envelope.Envelope) *backup.Answer {
			return &backup.Answer{Code: backup.Hash, Hash: &[32]byte{1}}
		},
		"replays": func(e *envelope.Envelope) *backup.Answer {
			old := backup.Proof(backup.Nonce{}, e.Append(nil))
			return &backup.Answer{Code: backup.Hash, Hash: &old}
		},
		"claims a receipt": func(*envelope.Envelope) *backup.Answer {
			return &backup.Answer{Code: backup.Gone, Receipts: [][]byte{[]byte("forged")}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *rig) {
				s := newScene(t, r, 5)
				e := s.alice.write(s.bob.key)
				virtual.Pass(time.Second)
				liar := s.at(s.alice.placement().Holders[0].Key)
				liar.mu.Lock()
				liar.liar = func(f backup.Frame) *backup.Answer {
					if _, audit := f.(*backup.Audit); audit {
						return lie(e)
					}
					return nil
				}
				liar.mu.Unlock()
				virtual.Pass(20 * time.Minute)
				if forged := name == "claims a receipt"; !forged {
					s.wantSeen(liar)
				}
				honest := s.copies(liar)
				if forged := name == "claims a receipt"; !forged && honest < 3 || forged && honest < 2 {
					t.Errorf("%d honest copies", honest)
				}
				s.comesBack()
				virtual.Pass(2 * time.Second)
				if s.bob.have() == 0 {
					t.Error("nothing came")
				}
			})
		})
	}
}

// wantSeen wants the author to be shown that a holder does not have what it has
// signed for, and those who audited it to have counted that.
func (s *scene) wantSeen(liar *party) {
	s.t.Helper()
	for _, h := range s.alice.placement().Holders {
		if h.Key == liar.key && h.Live {
			s.t.Error("the author's trace shows the liar as one who has it")
		}
	}
	caught := s.alice.counted("replies_total", "not proved")
	for _, k := range s.keepers {
		caught += k.counted("replies_total", "not proved")
	}
	if caught == 0 {
		s.t.Error("no metric shows the liar")
	}
}

func TestAHolderThatSignsForNothingIsNotCounted(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 6)
		var asked atomic.Int64            // of those who forge: as their ranks have it
		for _, k := range s.keepers[:2] { // they sign in each other's name, and for other things
			k.liar = func(f backup.Frame) *backup.Answer {
				if _, store := f.(*backup.Store); store {
					asked.Add(1)
					forged := backup.SignStorage(s.bob.signer, backup.Storage{Digest: envelope.Digest{1}, End: 1})
					return &backup.Answer{Code: backup.Stored, Storage: forged}
				}
				return nil
			}
		}
		s.alice.write(s.bob.key)
		virtual.Pass(time.Second)
		p := s.alice.placement()
		if !p.Enough || len(p.Holders) != 3 {
			t.Fatalf("placed %+v", p)
		}
		if n := s.alice.counted("replies_total", "not signed"); int64(n) != asked.Load() {
			t.Errorf("a metric shows %v of %d forgeries", n, asked.Load())
		}
		for _, h := range p.Holders {
			if h.Key == s.keepers[0].key || h.Key == s.keepers[1].key {
				t.Error("a forger counts")
			}
		}
	})
}

func TestStrangersGetNothing(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 3)
		mallory := r.add(off)
		e := s.alice.write(s.bob.key)
		virtual.Pass(time.Second)
		for _, k := range s.keepers {
			a, err := k.ask(mallory, &backup.Fetch{})
			if err != nil || len(a.Envelopes) > 0 || a.More {
				t.Errorf("fetched %+v, %v", a, err)
			}
			a, err = k.ask(mallory, &backup.Audit{Digest: e.Digest()})
			if err != nil || a.Code != backup.Hash || a.Hash != nil {
				t.Errorf("audited %+v, %v", a, err)
			}
			a, err = k.ask(s.alice, &backup.Audit{Digest: e.Digest(), Nonce: backup.Nonce{5}})
			if want := backup.Proof(backup.Nonce{5}, e.Append(nil)); err != nil || a.Hash == nil || *a.Hash != want {
				t.Errorf("the author audits %+v, %v", a, err)
			}
			if k.counted("answers_total", "not held") == 0 || k.counted("answers_total", "no mail") == 0 {
				t.Error("no metric shows who asks for what is not its own")
			}
		}
	})
}

// TestWhoRefusesToForgetIsAnsweredWithTheReceipt: one of the holders keeps its
// copy after the recipient has signed, and brings it back again and again.
func TestWhoRefusesToForgetIsAnsweredWithTheReceipt(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 4)
		e := s.alice.write(s.bob.key)
		virtual.Pass(time.Second)
		first := s.alice.placement().Holders[0].Key
		villain := s.at(first)
		villain.mu.Lock()
		villain.liar = func(f backup.Frame) *backup.Answer {
			if _, drop := f.(*backup.Drop); drop {
				return &backup.Answer{Code: backup.Done} // it says so
			}
			return nil
		}
		villain.mu.Unlock()
		s.comesBack()
		virtual.Pass(10 * time.Second)
		others := slices.DeleteFunc(slices.Clone(s.keepers), func(k *party) bool { return k == villain })
		if n := s.copies(villain); n > 0 {
			t.Fatalf("%d others keep it", n)
		}
		offer := &backup.Offer{Held: []backup.Held{{Digest: e.Digest(), End: uint64(e.End().UnixMilli())}}}
		gone := 0
		for range 10 {
			for _, k := range others {
				for _, f := range []backup.Frame{&backup.Store{Envelope: e.Append(nil)}, offer, &backup.Audit{Digest: e.Digest()}} {
					a, err := k.ask(villain, f)
					if err == nil && a.Code == backup.Gone && len(a.Receipts) == 1 {
						if _, err := ack.Parse(protocols.Main, a.Receipts[0]); err == nil {
							gone++
						}
					}
				}
			}
		}
		// The two that held it know; the one that never did may be made to keep it,
		// until it asks one of those, or the recipient has it again.
		if gone < 2*3*10 {
			t.Errorf("answered %d times with the receipt", gone)
		}
		shown := 0.0
		for _, k := range others {
			shown += k.counted("answers_total", "gone")
		}
		if shown < 2*3*10 {
			t.Errorf("metrics show %v of it", shown)
		}
		virtual.Pass(5 * time.Minute)
		if n := s.copies(villain); n > 0 {
			t.Errorf("%d others keep it again", n)
		}
		virtual.Pass(24 * time.Hour)
		if n := s.copies(villain); n > 0 {
			t.Errorf("%d others keep it a day later", n)
		}
	})
}

// TestWhatIsForgedChangesNothing shows that a peer's fault ends its stream, and
// touches no copy and no account.
func TestWhatIsForgedChangesNothing(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 1)
		k, mallory := s.keepers[0], r.add(off)
		e := s.alice.sealed(s.bob.key, time.Hour)
		if a, err := k.ask(s.alice, &backup.Store{Envelope: e.Append(nil)}); err != nil || a.Code != backup.Stored {
			t.Fatalf("stored %+v, %v", a, err)
		}
		before := k.svc.Usage()
		unsigned := s.alice.sealed(s.bob.key, time.Hour)
		unsigned.Proof = e.Proof
		hopped := s.alice.sealed(s.bob.key, time.Hour)
		hopped.Hops = 1
		via := s.alice.sealed(s.bob.key, time.Hour)
		via.Via = []protocols.Key{mallory.key}
		other := s.alice.sealed(s.bob.key, time.Hour)
		forgedAdmission := backup.SignAdmission(mallory.signer, backup.Admission{Sender: s.alice.key, Until: 1 << 47})
		forgedAdmission[1+2] ^= 1
		forgedReceipt := ack.Sign(mallory.signer, ack.Receipt{
			Kind: ack.Delivered, To: s.alice.key, Entries: []ack.Entry{{ID: e.ID, Digest: e.Digest().Short()}},
		})
		forgedReceipt[len(forgedReceipt)-1] ^= 1
		for name, f := range map[string]backup.Frame{
			"an unsigned envelope": &backup.Store{Envelope: unsigned.Append(nil)},
			"one that has hopped":  &backup.Store{Envelope: hopped.Append(nil)},
			"one with a way":       &backup.Store{Envelope: via.Append(nil)},
			"no envelope":          &backup.Store{Envelope: []byte{1, 2, 3}},
			"a forged admission":   &backup.Store{Envelope: other.Append(nil), Admission: forgedAdmission},
			"a forged receipt":     &backup.Drop{Receipt: forgedReceipt},
		} {
			if a, err := k.ask(mallory, f); err == nil {
				t.Errorf("%s: answered %+v", name, a)
			}
		}
		// A receipt that is real, of somebody who is not the recipient.
		real := ack.Sign(mallory.signer, ack.Receipt{
			Kind: ack.Delivered, To: s.alice.key, Time: 1, Entries: []ack.Entry{{ID: e.ID, Digest: e.Digest().Short()}},
		})
		if a, err := k.ask(mallory, &backup.Drop{Receipt: real}); err != nil || a.Code != backup.Done {
			t.Errorf("another's receipt: %+v, %v", a, err)
		}
		synctest.Wait()
		if after := k.svc.Usage(); after != before {
			t.Errorf("usage was %+v and is %+v", before, after)
		}
	})
}

func TestWhatIsTooOldIsRefused(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 1)
		e := s.alice.sealed(s.bob.key, time.Minute)
		virtual.Pass(2 * time.Minute)
		a, err := s.keepers[0].ask(s.alice, &backup.Store{Envelope: e.Append(nil)})
		if err != nil || a.Code != backup.Refused || a.Reason != envelope.ReasonClock || a.Value == 0 {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// TestAFloodIsContained has a stranger flood one recipient: it fills what
// strangers may have, the recipient's friend still has room, and so has
// everybody else's mail.
func TestAFloodIsContained(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := &scene{rig: r, alice: r.add(off), bob: r.add(off)}
		k := r.add(func(cfg *holder.Config) {
			cfg.Limits = backup.Limits{Total: 1 << 20, PerRecipient: 40_000, PerAuthor: 100_000, PerAsker: 1 << 20}
		})
		mallory, carol := r.add(off), r.add(off)
		stored := 0
		for range 40 {
			e := mallory.sealed(s.bob.key, time.Hour)
			a, err := k.ask(mallory, &backup.Store{Envelope: e.Append(nil)})
			switch {
			case err != nil:
				t.Fatal(err)
			case a.Code == backup.Stored:
				stored++
			case a.Code != backup.Refused || a.Reason != envelope.ReasonQuota:
				t.Fatalf("%+v", a)
			}
		}
		if stored == 0 || stored > 15 {
			t.Errorf("%d of the flood stored", stored)
		}
		if n := k.counted("answers_total", "refused: quota"); int(n) != 40-stored {
			t.Errorf("a metric shows %v refusals", n)
		}
		e := s.alice.sealed(s.bob.key, time.Hour)
		until := uint64(time.Now().Add(time.Hour).UnixMilli())
		admission := backup.SignAdmission(s.bob.signer, backup.Admission{Sender: s.alice.key, Until: until})
		for who, c := range map[string]*backup.Store{
			"a stranger":        {Envelope: carol.sealed(s.bob.key, time.Hour).Append(nil)},
			"the friend":        {Envelope: e.Append(nil), Admission: admission},
			"another recipient": {Envelope: carol.sealed(s.alice.key, time.Hour).Append(nil)},
		} {
			a, err := k.ask(carol, c)
			if err != nil || (a.Code == backup.Stored) != (who != "a stranger") {
				t.Errorf("%s: %+v, %v", who, a, err)
			}
		}
	})
}

func TestWhoStopsHandsOver(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 5)
		s.alice.write(s.bob.key)
		virtual.Pass(time.Second)
		leaving := s.at(s.alice.placement().Holders[1].Key)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		leaving.svc.Leave(ctx)
		if took := time.Since(began); took > time.Second || ctx.Err() != nil {
			t.Errorf("took %v", took)
		}
		leaving.goDown()
		if n := s.copies(leaving); n != 3 {
			t.Errorf("%d copies without it", n)
		}
	})
}

func TestDeadHoldersAreReplacedWithinAMinute(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 8)
		s.alice.write(s.bob.key)
		virtual.Pass(time.Second)
		s.alice.goDown()
		for round := range 3 { // two of them each time, if one is left
			var held []*party
			for _, k := range s.keepers {
				if s.at(k.key) != nil && k.svc.Usage().Copies > 0 {
					held = append(held, k)
				}
			}
			if len(held) < 2 {
				t.Fatalf("round %d: %d copies", round, len(held))
			}
			for _, k := range held[:min(2, len(held)-1)] {
				k.goDown()
			}
			virtual.Pass(time.Minute)
		}
		if n := s.copies(); n < 2 { // so many are left to keep it
			t.Errorf("%d copies in the end", n)
		}
	})
}

func TestTheModeIsKept(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		s := newScene(t, r, 0)
		a, err := s.alice.ask(s.bob, &backup.Store{Envelope: s.bob.sealed(key1(t), time.Hour).Append(nil)})
		if err != nil || a.Code != backup.Refused || a.Reason != envelope.ReasonPolicy {
			t.Errorf("%+v, %v", a, err)
		}
	})
	for text, want := range map[string]holder.Mode{"": holder.Auto, "auto": holder.Auto, "on": holder.On, "off": holder.Off} {
		if got, err := holder.ParseMode(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := holder.ParseMode("maybe"); err == nil {
		t.Error("maybe is no mode")
	}
}

// TestWhoIsNamedInVainIsAskedLast has the DHT name a crowd of nodes that have
// nothing, before the one that has the mail: they are asked a few at a time, and
// the next time after it.
func TestWhoIsNamedInVainIsAskedLast(t *testing.T) {
	world(t, func(t *testing.T, r *rig) {
		var mu sync.Mutex
		var asked []protocols.Key
		var named []protocols.Key
		hears := func(p *party) {
			p.liar = func(f backup.Frame) *backup.Answer {
				if _, ok := f.(*backup.Fetch); ok {
					mu.Lock()
					asked = append(asked, p.key)
					mu.Unlock()
				}
				return nil
			}
		}
		idle := func(c *holder.Config) { // it asks nobody for mail
			off(c)
			c.Candidates = func(protocols.Key) []backup.Candidate { return nil }
		}
		for range 10 {
			p := r.add(idle)
			hears(p)
			named = append(named, p.key)
		}
		keeper := r.add(nil)
		hears(keeper)
		named = append(named, keeper.key, key1(t)) // and one that is not there at all
		alice := r.add(func(c *holder.Config) { c.Mode = holder.Off; c.Expected = false })
		bob := r.add(func(c *holder.Config) {
			idle(c)
			c.Providers = func(context.Context, [32]byte, int) []protocols.Key { return slices.Clone(named) }
		})
		bob.goDown()
		alice.write(bob.key)
		virtual.Pass(time.Minute)
		alice.end()
		bob.mu.Lock()
		bob.up = true
		bob.mu.Unlock()
		mu.Lock()
		asked = nil
		mu.Unlock()
		virtual.Pass(2 * time.Hour) // two rounds
		mu.Lock()
		defer mu.Unlock()
		if len(asked) != 22 {
			t.Fatalf("asked %d times", len(asked))
		}
		first, second := slices.Index(asked[:11], keeper.key), slices.Index(asked[11:], keeper.key)
		if first < 8 || second >= 8 { // eight are asked at a time
			t.Errorf("the one who has it was asked as number %d, and then as number %d", first, second)
		}
		if bob.have() != 1 {
			t.Errorf("bob has %d messages", bob.have())
		}
	})
}
