package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/tom-protocol/tom/integration/model/storm"
	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
)

// away is what messages cost whose recipient is away.
type away struct {
	Messages  int     `json:"messages"`
	PerSecond float64 `json:"stored_per_second"` // durably with each of three holders, all on this machine
	DrainMS   float64 `json:"drain_ms"`          // from the recipient's start until all are in its inbox
	Overhead  int     `json:"overhead_bytes"`    // a message and holder, above the envelope: question, answer, admission
	Watching  []watch `json:"watching"`
}

// watch is the traffic of holders that watch each other, in the model world.
type watch struct {
	Nodes     int     `json:"nodes"`
	Mailboxes int     `json:"mailboxes"`
	Messages  int     `json:"messages"`
	Bytes     float64 `json:"bytes_per_second"` // of a node, on average
}

const (
	awayMessages = 1000
	awayHolders  = 3
)

func (b *bench) holders() (err error) {
	dir := filepath.Join(b.dir, "holders")
	var all []*tomNode
	defer func() {
		for _, n := range all {
			err = errors.Join(err, n.close())
		}
	}()
	start := func(name string) (*tomNode, error) {
		n, err := startNode(node.Config{DataDir: filepath.Join(dir, name), Name: name}, filepath.Join(dir, "rendezvous"))
		if err == nil {
			all = append(all, n)
		}
		return n, err
	}
	alice, err := start("alice")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range awayHolders {
		k, err := start(fmt.Sprint("keeper", i))
		if err != nil {
			return err
		}
		if _, err := alice.Connect(ctx, k.address()); err != nil {
			return err
		}
	}
	bob, err := start("bob")
	if err != nil {
		return err
	}
	to, err := alice.Connect(ctx, bob.address())
	if err != nil {
		return err
	}
	if _, err := (&tomSender{tomNode: alice, to: to}).singles(1); err != nil {
		return err
	}
	all = all[:len(all)-1]
	if err := bob.close(); err != nil {
		return err
	}
	r := away{Messages: awayMessages, Overhead: storeOverhead()}
	if r.PerSecond, err = storeAll(ctx, alice, to); err != nil {
		return err
	}
	begin := time.Now()
	if bob, err = start("bob"); err != nil {
		return err
	}
	if err := drained(ctx, bob, awayMessages+1); err != nil {
		return err
	}
	r.DrainMS = float64(time.Since(begin)) / float64(time.Millisecond)
	r.Watching = watching()
	b.report.Away = &r
	return nil
}

// storeAll sends to somebody who is away, and returns how many messages a second
// their three holders have signed for. The wait before holders are asked does
// not count.
func storeAll(ctx context.Context, n *tomNode, to node.Peer) (float64, error) {
	var ids []node.MessageID
	for _, body := range makeBodies(awayMessages) {
		id, err := n.SendTo(ctx, to, node.Message{Body: body})
		if err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	var begin time.Time
	for i, id := range ids {
		st, err := n.Wait(ctx, id, node.Stored)
		if err != nil || st.State != node.Stored {
			return 0, fmt.Errorf("message %d is %v: %w", i, st.State, err)
		}
		if i == 0 {
			begin = st.At
		}
		if i == len(ids)-1 {
			return float64(len(ids)) / max(st.At.Sub(begin), time.Millisecond).Seconds(), nil
		}
	}
	return 0, errors.New("nothing was sent")
}

// drained waits until so many messages are in an inbox.
func drained(ctx context.Context, n *tomNode, want int) error {
	for {
		count, since := 0, node.Cursor(0)
		for {
			rows, err := n.Inbox(node.Query{Since: since, Limit: 256})
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			count += len(rows)
			since = rows[len(rows)-1].Cursor
		}
		if count >= want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d came: %w", count, want, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// storeOverhead is what goes over the wire for one message and holder, above the
// envelope itself.
func storeOverhead() int {
	const envelope = 600
	question := &backup.Store{
		Envelope: make([]byte, envelope), Holders: make([]protocols.Key, awayHolders-1),
		Admission: make([]byte, backup.AdmissionSize),
	}
	answer := backup.Answer{Code: backup.Stored, Storage: make([]byte, backup.StorageSize)}
	return len(question.Append(nil, 1<<31)) - envelope + len(answer.Append(nil, 1<<31))
}

// auditBytes are those of one audit and its answer.
func auditBytes() int {
	return len((&backup.Audit{}).Append(nil, 1<<31)) + len((&backup.Answer{Code: backup.Hash, Hash: new([32]byte)}).Append(nil, 1<<31))
}

// watching lets an hour pass in the model world over messages that nobody
// fetches.
func watching() (all []watch) {
	for _, c := range []watch{
		{Nodes: 50, Mailboxes: 10, Messages: 100},
		{Nodes: 50, Mailboxes: 10, Messages: 1000},
		{Nodes: 50, Mailboxes: 20, Messages: 1000},
		{Nodes: 100, Mailboxes: 20, Messages: 1000},
	} {
		w := storm.New(storm.Config{Seed: 1, Nodes: c.Nodes, Delay: 100 * time.Millisecond})
		w.Sleep(c.Mailboxes)
		for range c.Messages {
			w.SendToSleepers()
		}
		w.Run(5 * time.Minute)
		before := w.Audits
		w.Run(time.Hour)
		c.Bytes = float64((w.Audits-before)*auditBytes()) / time.Hour.Seconds() / float64(c.Nodes-c.Mailboxes)
		all = append(all, c)
	}
	return all
}

func (r report) printAway(w io.Writer) {
	a := r.Away
	if a == nil {
		return
	}
	fmt.Fprintf(w, "\nto somebody away\n")
	fmt.Fprintf(w, "  kept by %d holders, durably, all on this machine\t%.0f messages/s\n", awayHolders, a.PerSecond)
	fmt.Fprintf(w, "  %d waiting messages, from the recipient's start to its inbox\t%.0f ms\n", a.Messages, a.DrainMS)
	fmt.Fprintf(w, "  on the wire above the envelope\t%d bytes for each holder\n", a.Overhead)
	for _, c := range a.Watching {
		fmt.Fprintf(w, "  watching: %d nodes, %d mailboxes, %d messages\t%.1f bytes/s of a node\n", c.Nodes, c.Mailboxes, c.Messages, c.Bytes)
	}
}
