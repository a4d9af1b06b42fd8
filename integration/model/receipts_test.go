package model_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

// Every author learns who has its records, also when the hub they were published
// to is gone; what cannot be opened is excepted, and what is read is said.
func TestAuthorsLearnWhoHasTheirRecords(t *testing.T) {
	t.Parallel()
	w := model.New(model.Options{Nodes: 6, Seed: 1, Bytes: true})
	w.Run(3 * time.Second)
	w.WriteAll()
	w.Run(2 * time.Second)
	for _, u := range w.Untold() {
		t.Error(u)
	}
	hub := w.Chain()[0]
	w.WriteAll()
	w.Run(100 * time.Millisecond)
	w.Crash(hub, true)
	w.Run(5 * time.Second)
	w.WriteAll()
	w.Run(time.Second)
	w.Restart(hub)
	w.Run(30 * time.Second)
	for _, u := range w.Untold() {
		t.Error(u)
	}
	author, other, third := w.Nodes[1], w.Nodes[2], w.Nodes[3]
	seq := author.Seat.Ledger().Log().Seq() + 1
	w.Write(author)
	w.Run(time.Second)
	other.Seat.Waits(w.Clock(other), seq, true)
	third.Seat.Read(w.Clock(third), seq)
	w.Run(10 * time.Second)
	if st := author.Seat.Standing(seq); st.Delivered != 4 || st.Read != 1 || st.Members != 5 {
		t.Errorf("%+v", st)
	}
	other.Seat.Waits(w.Clock(other), seq, false)
	w.Run(10 * time.Second)
	if st := author.Seat.Standing(seq); st.Delivered != 5 {
		t.Errorf("after its key came: %+v", st)
	}
	holds(t, w)
}
