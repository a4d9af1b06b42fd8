package node

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/tom-protocol/tom/groups"
	"github.com/tom-protocol/tom/groups/wire"
)

func TestGroupEventsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, want := range []groups.Event{
		{Group: wire.GroupID{1}, What: groups.NewHub, Number: 3},
		{
			Group: wire.GroupID{1, 15: 9}, Name: "friends", What: groups.Messages, Peer: Peer{2}, PeerName: "bob \x00\xff", By: Peer{3},
			Number: 1 << 60, Seq: 1 << 60, Record: wire.RecordID{4}, Count: 5, Detail: "why",
		},
	} {
		got, ok := parseGroupEvent(packGroupEvent(want))
		if want.PeerName != "" { // JSON has no bytes that are no text
			want.PeerName = "bob \x00\ufffd"
		}
		if !ok || got != want {
			t.Errorf("read %+v, want %+v", got, want)
		}
	}
	if _, ok := parseGroupEvent([]byte("no note")); ok {
		t.Error("rubbish is read")
	}
}

// While the disk is slow nobody waits and nothing grows: messages become one
// event, and the oldest of the others stay.
func TestEventsOfGroupsWaitInABoundedQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, wrote := make(chan struct{}), [][]byte{}
		g := newGroupNews(func(notes [][]byte) error {
			<-disk
			wrote = append(wrote, notes...)
			return nil
		})
		ctx, stop := context.WithCancel(t.Context())
		go g.run(ctx)
		g.note(groups.Event{What: groups.Claimed})
		synctest.Wait() // the disk has that one
		for i := range 5000 {
			g.note(groups.Event{What: groups.Messages, Seq: wire.Seq(i), Count: 1})
		}
		for i := range 5000 {
			g.note(groups.Event{What: groups.Forged, Detail: fmt.Sprint(i)})
		}
		close(disk)
		synctest.Wait()
		stop()
		if len(wrote) != 1+maxGroupNews {
			t.Fatalf("%d events", len(wrote))
		}
		if e, _ := parseGroupEvent(wrote[1]); e.Count != 5000 || e.Seq != 4999 {
			t.Errorf("messages became %+v", e)
		}
	})
}
