package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/tom-protocol/tom/groups"
	groupwire "github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

// groupHub is a node on disk that founds a group, and is its hub.
type groupHub struct {
	*tomNode
	group groupwire.GroupID
}

func openGroupHub(ctx context.Context, o order) (worker, answer, error) {
	n, err := startNode(node.Config{
		DataDir: o.Dir, Name: "hub", Relay: "on", Reachability: "public",
		Host: func(c *nodehost.Config) { c.FewConns, c.ManyConns = 2*o.N, 3*o.N },
	}, filepath.Join(o.Dir, "rendezvous"))
	if err != nil {
		return nil, answer{}, err
	}
	h := &groupHub{tomNode: n}
	if h.group, err = found(n); err != nil {
		return nil, answer{}, errors.Join(err, n.close())
	}
	i, err := n.Groups().Invite(ctx, h.group, node.Peer{}, uint64(o.N), time.Hour)
	if err != nil {
		return nil, answer{}, errors.Join(err, n.close())
	}
	return h, answer{Address: h.address(), Link: i.Link()}, nil
}

// found makes a group, once the node's groups run.
func found(n *tomNode) (id groupwire.GroupID, err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		id, err = n.Groups().Create(groupwire.Settings{Name: "bench", Max: groupwire.MaxMembers, Beat: groupwire.DefaultBeat})
		if !errors.Is(err, groups.ErrStopped) {
			break
		}
	}
	return id, err
}

func (h *groupHub) do(ctx context.Context, o order) (a answer, err error) {
	if o.Do != "state" {
		return a, errOrder
	}
	list, err := h.Groups().List(ctx)
	for _, g := range list { // it has one
		a.Members, a.Term, a.Seq = g.Members, uint64(g.Number), uint64(g.Seq)
		if g.Hub != h.Key() {
			err = errors.New("another member has become hub")
		}
	}
	return a, err
}

// groupMembers are nodes that join the group.
type groupMembers struct {
	crowd
	group groupwire.GroupID
}

func openGroupMembers(ctx context.Context, o order) (worker, answer, error) {
	m := new(groupMembers)
	for i := range o.N {
		cfg := node.Config{Network: o.Network, Name: o.Name + strconv.Itoa(i), NoRendezvous: true, NoDHT: true, Host: shy}
		if o.Dir != "" {
			cfg.DataDir = filepath.Join(o.Dir, strconv.Itoa(i))
		}
		n, err := startNode(cfg, "")
		if err != nil {
			return nil, answer{}, errors.Join(err, m.close())
		}
		m.crowd = append(m.crowd, n)
		if _, err := n.Connect(ctx, o.Address); err != nil {
			return nil, answer{}, errors.Join(err, m.close())
		}
	}
	return m, answer{}, nil
}

func (m *groupMembers) close() error { return m.Close() }

func (m *groupMembers) do(ctx context.Context, o order) (a answer, err error) {
	begin := time.Now()
	switch o.Do {
	case "join":
		err = m.join(ctx, o.Link)
	case "have":
		err = m.have(ctx, groupwire.Seq(o.Seq))
	case "burst":
		err = (&groupAuthor{m.crowd[0], m.group}).burst(ctx, o.N, o.Window)
	case "singles":
		a.Each, err = (&groupAuthor{m.crowd[0], m.group}).singles(ctx, o.N)
	case "introduce":
		err = m.chatter(ctx, o.Authors, 1, withAll)
	case "chatter":
		err = m.chatter(ctx, o.Authors, o.N, func(s groups.Standing) bool { return s.Accepted })
	default:
		err = errOrder
	}
	a.Took = time.Since(begin)
	return a, err
}

// each calls f for some members at once.
func (m *groupMembers) each(list crowd, atOnce int, f func(*tomNode) error) error {
	errs := make([]error, len(list))
	slots := make(chan struct{}, atOnce)
	var work sync.WaitGroup
	for i, n := range list {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			if err := f(n); err != nil {
				errs[i] = fmt.Errorf("member %d: %w", i, err)
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

func (m *groupMembers) join(ctx context.Context, link string) error {
	i, err := groupwire.ParseLink(link)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	return m.each(m.crowd, 16, func(n *tomNode) error {
		id, err := n.Groups().Join(ctx, i)
		mu.Lock()
		m.group = id
		mu.Unlock()
		return err
	})
}

// have waits until all have the log up to a seq.
func (m *groupMembers) have(ctx context.Context, to groupwire.Seq) error {
	return m.each(m.crowd, len(m.crowd), func(n *tomNode) error {
		a := &groupAuthor{n, m.group}
		return a.until(ctx, func() (bool, error) {
			list, err := n.Groups().Log(ctx, m.group, groups.Cursor(to-1), 1, 0)
			return len(list) > 0, err
		})
	})
}

// chatter has some members write n messages each, one at a time: the next one
// when the last has come so far. If that is to all, then these have its key.
func (m *groupMembers) chatter(ctx context.Context, authors, n int, far func(groups.Standing) bool) error {
	return m.each(m.crowd[:min(authors, len(m.crowd))], authors, func(t *tomNode) error {
		a := &groupAuthor{t, m.group}
		for _, body := range makeBodies(n) {
			id, err := a.send(ctx, body)
			if err != nil {
				return err
			}
			if err := a.reaches(ctx, id, far); err != nil {
				return err
			}
		}
		return nil
	})
}

// groupAuthor is a member that writes.
type groupAuthor struct {
	*tomNode
	group groupwire.GroupID
}

func (a *groupAuthor) send(ctx context.Context, body []byte) (groupwire.RecordID, error) {
	for {
		id, err := a.Groups().Send(ctx, a.group, "application/octet-stream", body)
		if !errors.Is(err, groups.ErrBusy) || ctx.Err() != nil {
			return id, err
		}
		time.Sleep(10 * time.Millisecond) // as a user does
	}
}

// until looks whenever something has happened in the group.
func (a *groupAuthor) until(ctx context.Context, holds func() (bool, error)) error {
	for {
		news, err := a.Groups().News(ctx, a.group)
		if err != nil {
			return err
		}
		if ok, err := holds(); ok || err != nil {
			return err
		}
		select {
		case <-news:
		case <-time.After(5 * time.Second): // nothing hangs on it
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *groupAuthor) reaches(ctx context.Context, id groupwire.RecordID, far func(groups.Standing) bool) error {
	s, err := a.Groups().Await(ctx, a.group, id, far)
	if s.Refused != 0 {
		err = fmt.Errorf("refused: %v", s.Refused)
	}
	return err
}

func withAll(s groups.Standing) bool { return s.Members > 0 && s.Delivered == s.Members }

// singles sends one message at a time: until all have acknowledged it.
func (a *groupAuthor) singles(ctx context.Context, n int) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	for i, body := range makeBodies(n) {
		begin := time.Now()
		id, err := a.send(ctx, body)
		if err == nil {
			err = a.reaches(ctx, id, withAll)
		}
		if err != nil {
			return nil, err
		}
		took[i] = time.Since(begin)
	}
	return took, nil
}

// burst has as many writers as there may be messages that are not accepted write n
// messages, and waits until all have acknowledged the last.
func (a *groupAuthor) burst(ctx context.Context, n, window int) error {
	bodies := make(chan []byte, n)
	for _, b := range makeBodies(n) {
		bodies <- b
	}
	close(bodies)
	var mu sync.Mutex
	var end groupwire.Seq
	var last groupwire.RecordID
	errs := make([]error, window)
	var writers sync.WaitGroup
	for i := range window {
		writers.Go(func() {
			for body := range bodies {
				id, err := a.send(ctx, body)
				if err == nil {
					err = a.reaches(ctx, id, func(s groups.Standing) bool {
						mu.Lock()
						defer mu.Unlock()
						if s.Accepted && s.Place.Seq > end {
							end, last = s.Place.Seq, id
						}
						return s.Accepted
					})
				}
				if errs[i] = err; err != nil {
					return
				}
			}
		})
	}
	writers.Wait()
	return errors.Join(errors.Join(errs...), a.reaches(ctx, last, withAll))
}
