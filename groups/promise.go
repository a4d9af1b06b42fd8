package groups

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols/message"
)

// An invitation says what the log is, and who joins believes no other. Where two
// sides of the group have met since it was made, no hub can show that log any more.
// Whoever invited sees so when the join arrives, and says anew what the log is: by an
// invitation for the one who joined, which has ended when it is made.

// promise says anew what the log is to one who joined by an invitation of this
// node's that does not say so any more.
func (r *room) promise(now time.Time, rec *wire.Record) {
	if !r.seat.Ledger().Fold().Admin(r.s.self) {
		return
	}
	inv := r.invited(rec)
	if inv == nil {
		return
	}
	if h, known := r.seat.Ledger().Log().HashAt(inv.Seq); known && h == inv.Log {
		return
	}
	x, err := r.invitation(now, wire.Invite{For: rec.Author, Uses: 1, Expires: wire.Millis(now.UnixMilli()) + 1})
	if err == nil {
		body := x.Append(nil)
		r.s.work.Go(func() { r.s.postOne(rec.Author, message.TypeGroupInvite, body) })
	}
}

// promised takes such an invitation, of whoever invited this node. False says that it
// is none.
func (r *room) promised(inv *wire.Invite, raw []byte) (taken bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), giveTime)
	defer cancel()
	err = r.do(ctx, func(now time.Time) {
		before, _, err := wire.ParseInvite(r.s.cfg.Verifier, r.place.Invite)
		if taken = err == nil && before.Issuer == inv.Issuer && before.Made < inv.Made; taken {
			r.place.Invite, r.unsaved = raw, true
			r.seat.Promise(now, rootOf(inv))
		}
	})
	return taken, err
}

func rootOf(i *wire.Invite) member.Root {
	return member.Root{Issuer: i.Issuer, Seq: i.Seq, Log: i.Log, Roster: i.Roster, RosterHash: i.RosterHash}
}
