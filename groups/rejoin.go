package groups

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tom-protocol/tom/groups/member"
	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// A join is on disk before anybody is asked: a hub may have taken it when this
// node is killed, or gives up. The next try, or the next start, shows the same
// record, and not one of a node that is a member already.

// wish is a join on disk. The seed of a link is not in it: the record has what was
// signed with it.
type wish struct {
	Invite []byte
	Secret [32]byte
	Addrs  [][]byte
	Record []byte
	GaveUp bool // whoever wanted it was told so: it is not tried again by itself
}

func wishKey(g wire.GroupID) []byte { return rowKey(g, rowWish) }

// wished returns the join that was shown before with the same invite, nil for none.
func (s *Service) wished(g wire.GroupID, invite []byte) (*wire.Record, error) {
	b, ok, err := s.cfg.Rows.Get(wishKey(g))
	if err != nil || !ok {
		return nil, err
	}
	var w wish
	if err := decode(b, &w); err != nil || string(w.Invite) != string(invite) {
		return nil, err
	}
	rec, err := wire.ParseRecord(w.Record)
	if err != nil || s.cfg.Now().Sub(time.UnixMilli(int64(rec.Time))) > Life {
		return nil, nil // no hub takes it any more
	}
	return rec, nil
}

// keepWish puts the join on disk.
func (j *joining) keepWish(gaveUp bool) error {
	w := wish{Invite: j.invitation.Invite, Secret: j.invitation.Secret, Addrs: j.invitation.Addrs, Record: j.record.Bytes(), GaveUp: gaveUp}
	return j.s.cfg.Rows.Apply([]Row{{Key: wishKey(j.charter.Group()), Value: encode(w)}}, nil)
}

// settleWish notes how asking ended.
func (j *joining) settleWish(err error) error {
	switch {
	case errors.Is(err, ErrRefused):
		return j.s.cfg.Rows.Apply(nil, [][]byte{wishKey(j.charter.Group())})
	case errors.Is(err, ErrStopped):
		return nil
	}
	return j.keepWish(true)
}

// loadWishes finds the joins that were under way at the last end.
func (s *Service) loadWishes() (list []*joining, err error) {
	var over [][]byte
	err = s.cfg.Rows.Scan(nil, func(key, value []byte) error {
		if len(key) != 17 || key[16] != rowWish {
			return nil
		}
		var w wish
		if err := decode(value, &w); err != nil {
			return err
		}
		j, err := s.ofWish(&w)
		switch {
		case err != nil:
			over = append(over, key)
		case !w.GaveUp:
			list = append(list, j)
		}
		return nil
	})
	if err == nil && len(over) > 0 {
		err = s.cfg.Rows.Apply(nil, over)
	}
	return list, err
}

func (s *Service) ofWish(w *wish) (*joining, error) {
	inv, charter, err := wire.ParseInvite(s.cfg.Verifier, w.Invite)
	if err != nil {
		return nil, err
	}
	rec, err := wire.ParseRecord(w.Record)
	if err != nil {
		return nil, err
	}
	if s.cfg.Now().Sub(time.UnixMilli(int64(rec.Time))) > Life {
		return nil, ErrExpired
	}
	return s.joiningBy(&wire.Invitation{Invite: w.Invite, Secret: w.Secret, Addrs: w.Addrs}, inv, charter, rec), nil
}

// resume goes on with a join, until its record's day is over.
func (s *Service) resume(ctx context.Context, j *joining) {
	end := time.UnixMilli(int64(j.record.Time)).Add(Life)
	ctx, cancel := context.WithTimeout(ctx, end.Sub(s.cfg.Now()))
	defer cancel()
	if err := s.joinBy(ctx, j); err != nil {
		logger.Infow("a join that was under way has ended", "group", j.charter.Group(), "err", err)
	}
}

// root is what the invite says of the log, for as long as that has not been seen.
func (p *place) root(v wire.Verifier) (*member.Root, error) {
	if p.Invite == nil {
		return nil, nil
	}
	i, _, err := wire.ParseInvite(v, p.Invite)
	if err != nil {
		return nil, err
	}
	root := rootOf(i)
	return &root, nil
}

// errRoot is what a hub did whose log cannot be the group's.
var errRoot = errors.New("shows a log that is not the one that is known, or that the invitation spoke of")

// errWithheld is what a hub did that takes no records of somebody, or brings this node
// nothing of its log.
func errWithheld(e member.Event) error {
	if e.Name == (wire.RecordName{}) {
		return errors.New("withholds the log: it brings nothing of what it has signed")
	}
	return errors.New("withholds records: it neither takes nor refuses them")
}

// rootTime is how long a joiner waits for the log that its invite spoke of. It is
// a member before; but it is told if the hub shows another log, and whoever invited
// it does not say that this is the one.
const rootTime = 5 * time.Second

// awaitRoot waits for the log that the invite spoke of.
func (r *room) awaitRoot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rootTime)
	defer cancel()
	for {
		var rooted, unrooted bool
		var news <-chan struct{}
		var hub protocols.Key
		err := r.do(ctx, func(time.Time) {
			rooted, unrooted, news, hub = r.place.Invite == nil, !r.unrooted.IsZero(), r.news, r.told.hub
		})
		if err != nil || rooted {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			if unrooted {
				return fmt.Errorf("%w: the hub %s", ErrHistory, hub)
			}
			return nil
		case <-r.closed:
			return nil
		}
	}
}
