package model_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/groups/roster"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/integration/model"
	"github.com/tom-protocol/tom/protocols"
)

// scene is a closed group of five in which all have written; the second is hub.
func scene(seed uint64) *model.World {
	w := led(seed)
	w.Close(w.Nodes[0])
	w.WriteAll()
	w.Run(3 * time.Second)
	return w
}

// honest fails the test unless all members but some agree with each other, follow
// a hub that is none of them, and are who they were.
func honest(t *testing.T, w *model.World, members int, but ...*model.Node) {
	t.Helper()
	holds(t, w)
	for _, n := range w.Nodes[:5] {
		if slices.Contains(but, n) {
			continue
		}
		if got := n.Seat.Ledger().Fold().Len(); got != members {
			t.Errorf("node %d counts %d members, not %d", n.ID, got, members)
		}
	}
}

// What a stranger brings has no effect; it is told so where it asked, and it is named.
func TestAStrangerGetsNowhere(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(w *model.World, s *model.Node) (refusals int){
		"joins a closed group": func(w *model.World, s *model.Node) int {
			w.Bring(s, w.Signed(s, wire.KindJoin, (&wire.Join{Name: "me"}).Append(nil)))
			return 1
		},
		"writes": func(w *model.World, s *model.Node) int {
			w.Bring(s, w.Signed(s, wire.KindMessage, (&wire.Message{Roster: 9}).Append(nil)))
			return 1
		},
		"kicks": func(w *model.World, s *model.Node) int {
			w.Bring(s, w.Signed(s, wire.KindKick, w.KickOf(w.Nodes[0], w.Nodes[2])))
			return 1
		},
		"kicks as if it had been accepted once": func(w *model.World, s *model.Node) int {
			r := w.Signed(s, wire.KindKick, w.KickOf(w.Nodes[0], w.Nodes[2]))
			e := wire.Entry{Record: r, Old: &wire.Old{Place: wire.Place{Number: 1, Primary: s.Key, Seq: 3}}}
			w.Say(s, &wire.Publish{Group: r.Group, Records: [][]byte{e.Append(nil)}})
			return 0
		},
		"joins by an invite that it signed itself": func(w *model.World, s *model.Node) int {
			forged := w.Link(w.Nodes[0], 5, protocols.Key{}, 900)
			i := invite(forged)
			i.Issuer = s.Key
			w.Bring(s, w.JoinBy(s, w.SignInvite(s, i), 900))
			return 1
		},
		"joins by an invite for another": func(w *model.World, s *model.Node) int {
			w.Bring(s, w.JoinBy(s, w.Link(w.Nodes[0], 1, w.Nodes[2].Key, -1), -1))
			return 1
		},
		"joins by a link whose key it has not": func(w *model.World, s *model.Node) int {
			w.Bring(s, w.JoinBy(s, w.Link(w.Nodes[0], 5, protocols.Key{}, 900), 901))
			return 1
		},
		"joins by an invite of one who is no admin": func(w *model.World, s *model.Node) int {
			w.Bring(s, w.JoinBy(s, w.Link(w.Nodes[2], 5, protocols.Key{}, 900), 900))
			return 1
		},
		"replays a join of another": func(w *model.World, s *model.Node) int {
			e, _ := w.Nodes[1].Seat.Ledger().Log().At(1)
			w.Bring(s, e.Record)
			return 0
		},
		"announces old hub records": func(w *model.World, s *model.Node) int {
			f := model.FirstBranch(w)
			w.Say(s, &f)
			w.Say(s, &wire.Meet{HubRecordFrame: f})
			w.Say(s, &wire.Yield{HubRecordFrame: f})
			return 0
		},
		"moves the hub": func(w *model.World, s *model.Node) int {
			cur := w.Nodes[2].Seat.Branch().Record
			h := wire.HubRecord{Group: cur.Group, Number: cur.Number + 1, Version: 1, Primary: s.Key, Links: []wire.HubHash{cur.Hash()}, Cause: wire.CauseAdmin, Admin: s.Key}
			draft, record := w.SignHub(s, h)
			w.Say(s, &wire.Named{Draft: draft})
			w.Say(s, &wire.HubRecordFrame{Record: record, Linked: [][]byte{cur.Bytes()}})
			return 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := scene(1)
			hub := w.Nodes[2].Seat.Branch().Primary()
			s := w.Stranger()
			want := do(w, s)
			w.Run(5 * time.Second)
			if w.Turned < want || w.Told == 0 {
				t.Errorf("it was refused %d times, and told of %d times", w.Turned, w.Told)
			}
			w.WriteAll()
			w.Agree(30 * time.Second)
			honest(t, w, 5)
			if w.Nodes[2].Seat.Branch().Primary() != hub {
				t.Error("the hub is another")
			}
		})
	}
}

func invite(b []byte) wire.Invite {
	i, _, err := wire.ParseInvite(model.Verifier(), b)
	if err != nil {
		panic(err)
	}
	return *i
}

// An invite lets in as many as it says, whoever shows it how often.
func TestInvitesAreNotReplayed(t *testing.T) {
	t.Parallel()
	w := scene(1)
	first, second := w.Stranger(), w.Stranger()
	link := w.Link(w.Nodes[0], 1, protocols.Key{}, 900)
	join := w.JoinBy(first, link, 900)
	w.Bring(first, join)
	w.Run(3 * time.Second)
	w.Bring(second, w.JoinBy(second, link, 900))
	w.Bring(first, w.JoinBy(first, link, 900))
	w.Bring(second, join)
	w.Run(3 * time.Second)
	w.Agree(30 * time.Second)
	honest(t, w, 6)
	if f := w.Nodes[0].Seat.Ledger().Fold(); !f.Member(first.Key) || f.Member(second.Key) || w.Turned < 2 {
		t.Errorf("first in: %v, second in: %v, %d refusals", f.Member(first.Key), f.Member(second.Key), w.Turned)
	}
}

// Who was kicked does not come back by a link that it knows, nor by an invite for
// it from before.
func TestAKickedMemberStaysOut(t *testing.T) {
	t.Parallel()
	w := scene(1)
	out := w.Nodes[3]
	link, own := w.Link(w.Nodes[0], 5, protocols.Key{}, 900), w.Link(w.Nodes[0], 1, out.Key, -1)
	w.Kick(w.Nodes[0], out)
	w.Run(3 * time.Second)
	w.Lies(out)
	fresh := w.Link(w.Nodes[0], 5, protocols.Key{}, 902)
	for _, r := range []*wire.Record{
		w.JoinBy(out, link, 900), w.JoinBy(out, own, -1), w.JoinBy(out, fresh, 902),
		w.Signed(out, wire.KindJoin, (&wire.Join{Name: "me"}).Append(nil)), w.Signed(out, wire.KindMessage, (&wire.Message{Roster: 99}).Append(nil)),
	} {
		w.Bring(out, r)
		w.Run(2 * time.Second)
	}
	honest(t, w, 4, out)
	w.Bring(out, w.JoinBy(out, w.Link(w.Nodes[0], 1, out.Key, -1), -1))
	w.Run(2 * time.Second)
	honest(t, w, 5, out)
}

// A hub alters and invents what members said, in what it shows to one of them. It
// is blamed, and the victim takes nothing of it; by its heads it is found out, and
// left, besides.
func TestAHubThatAltersOrInventsIsBlamed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *model.World) func([][]byte) [][]byte{
		"alters": func(*model.World) func([][]byte) [][]byte {
			return func(entries [][]byte) [][]byte {
				warped := slices.Clone(entries)
				for i := range warped {
					warped[i] = model.Altered(warped[i])
				}
				return warped
			}
		},
		"invents": func(w *model.World) func([][]byte) [][]byte {
			r := *w.Signed(w.Nodes[1], wire.KindKick, w.KickOf(w.Nodes[0], w.Nodes[3]))
			r.Author = w.Nodes[0].Key
			raw := (&wire.Entry{Record: &r}).Append(nil)
			return func(entries [][]byte) [][]byte {
				warped := slices.Clone(entries)
				warped[len(warped)-1] = raw
				return warped
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := scene(1)
			hub, victim := w.Nodes[1], w.Nodes[4]
			before := victim.Seat.Ledger().Log().Seq()
			w.Warp(hub, victim, change(w))
			for range 5 {
				w.Write(w.Nodes[2])
				w.Run(time.Second)
			}
			follows := victim.Seat.Branch().Primary() == hub.Key
			if w.Blamed == 0 || follows && victim.Seat.Ledger().Log().Seq() != before {
				t.Errorf("blamed %d times, %d records taken", w.Blamed, victim.Seat.Ledger().Log().Seq()-before)
			}
			w.Straighten()
			w.Agree(30 * time.Second)
			honest(t, w, 5)
		})
	}
}

// A hub shows one member two records in another order than all others. That is
// another log under the same place: it is found out past the hub, and whoever takes
// its place keeps it, though the hub goes on answering whoever asks.
func TestAHubThatReordersIsFoundAndLeft(t *testing.T) {
	t.Parallel()
	first, count := seeds(10, 200)
	for seed := first; seed < first+count; seed++ {
		w := scene(seed)
		hub, victim := w.Nodes[1], w.Nodes[4]
		w.Warp(hub, victim, func(entries [][]byte) [][]byte {
			warped := slices.Clone(entries)
			slices.Reverse(warped)
			return warped
		})
		for range 60 {
			w.Cut(hub.ID, victim.ID)
			w.Write(w.Nodes[2])
			w.Write(w.Nodes[3])
			w.Write(w.Nodes[2])
			w.Run(500 * time.Millisecond)
			w.Heal()
			w.Run(1500 * time.Millisecond)
		}
		w.Straighten()
		w.Run(time.Minute)
		for _, n := range w.Nodes {
			if n != hub && n.Seat.Branch().Primary() == hub.Key {
				t.Errorf("seed %d: node %d follows it still", seed, n.ID)
			}
		}
		honest(t, w, 5)
	}
}

// A hub puts last week's kick, a purged join and a purged message into its log once
// more, asking nobody, or as if they had stood elsewhere before a merge. They are void
// for everybody, and it is named: in a group that talks, and in one in which nobody
// has said anything since.
func TestWhatWasPurgedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		live   func(w *model.World, d time.Duration)
		merged bool
	}{"busy": {days, false}, "quiet": {(*model.World).Run, false}, "quiet, as if merged": {(*model.World).Run, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resurrected(t, x.live, x.merged)
		})
	}
}

func resurrected(t *testing.T, live func(w *model.World, d time.Duration), merged bool) {
	t.Helper()
	w := model.New(model.Options{Nodes: 5, Seed: 1, Beat: 3 * time.Second})
	w.Run(10 * time.Second)
	leaver, kicked := w.Nodes[3], w.Nodes[4]
	names, _ := leaver.Seat.Ledger().Fold().Names(leaver.Key)
	join, _ := w.Nodes[0].Seat.Ledger().Log().At(3)
	w.Write(leaver)
	w.Run(5 * time.Second)
	last := w.Nodes[0].Seat.Ledger().Log().Seq()
	message, _ := w.Nodes[0].Seat.Ledger().Log().At(last)
	w.Publish(leaver, wire.KindLeave, (&wire.Target{Kind: wire.KindLeave, Names: names}).Append(nil))
	w.Run(5 * time.Second)
	w.Kick(w.Nodes[0], kicked)
	w.Run(5 * time.Second)
	kick, _ := w.Nodes[0].Seat.Ledger().Log().At(w.Nodes[0].Seat.Ledger().Log().Seq())
	w.Bring(kicked, w.JoinBy(kicked, w.Link(w.Nodes[0], 1, kicked.Key, -1), -1))
	w.Run(5 * time.Second)
	for _, r := range []struct {
		record *wire.Record
		kind   wire.Kind
	}{{join.Record, wire.KindJoin}, {message.Record, wire.KindMessage}, {kick.Record, wire.KindKick}} {
		if r.record.Kind != r.kind {
			t.Fatalf("a %v stands where a %v should", r.record.Kind, r.kind)
		}
	}
	live(w, 50*time.Hour)
	hub := w.Nodes[0]
	if !hub.Seat.Leads() || !hub.Seat.Ledger().Fold().Member(kicked.Key) {
		t.Fatal("not what this is about")
	}
	var at []wire.Seq
	for _, r := range []*wire.Record{join.Record, message.Record, kick.Record} {
		if _, known := hub.Seat.Ledger().Log().Find(r.Name()); known {
			t.Fatalf("a %v was not purged", r.Kind)
		}
		at = append(at, w.Sneak(hub, r, merged))
	}
	w.Write(w.Nodes[1])
	w.Run(20 * time.Second)
	if w.Blamed != 3*len(at) {
		t.Errorf("the hub is named %d times by three members", w.Blamed)
	}
	for _, n := range w.Nodes[:3] {
		f := n.Seat.Ledger().Fold()
		if f.Member(leaver.Key) || !f.Member(kicked.Key) {
			t.Errorf("node %d: who left is in: %v, who came back: %v", n.ID, f.Member(leaver.Key), f.Member(kicked.Key))
		}
		for _, s := range at {
			if n.Seat.Ledger().Log().Seq() < s || n.Seat.Ledger().Void(s) != roster.ErrPast {
				t.Errorf("node %d: seq %d of %d: %v", n.ID, s, n.Seat.Ledger().Log().Seq(), n.Seat.Ledger().Void(s))
			}
		}
	}
}
