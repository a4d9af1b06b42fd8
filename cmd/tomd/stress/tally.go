package stress

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// parts is in how many equal parts arrivals are counted, to be drawn.
const parts = 120

// tally writes what the books say into the result.
func (s *stage) tally() {
	now := time.Now()
	r := s.result
	s.book.do(func(l *ledger.Ledger) {
		r.Counts = l.Counts()
		r.Latency = l.Latency().Summary()
		r.Arrivals = l.Arrivals(s.begin, now, parts)
		if r.GapsOver > 0 && !s.sending.IsZero() {
			r.Gaps = l.Gaps(s.sending, s.sent, r.GapsOver)
		}
	})
	r.Spoiled = s.book.spoiled
	if !s.sending.IsZero() {
		r.Sending = s.sent.Sub(s.sending)
		r.Rate = float64(r.Counts.Delivered) / max(r.Sending.Seconds(), 0.001)
	}
	if err := s.book.err(); err != nil {
		r.Want(verdict.Fine("the daemon gives each message an id of its own", err))
	}
}

// compareFigures puts the books beside the daemons' own metrics.
func (s *stage) compareFigures(ctx context.Context) {
	s.figure(ctx, "received", s.result.Counts.Received, "tom_received_total")
	s.figure(ctx, "delivered", s.result.Counts.Delivered, "tom_ended_total", `state="delivered"`)
}

// figure puts a number beside what all daemons together count of it. Of those that
// were killed the counts since they were asked the last time are missing; and what
// they had done and not noted yet they do, and count, again. So then both are
// shown, and nothing is wanted of them.
func (s *stage) figure(ctx context.Context, name string, ours int, metric string, labels ...string) {
	if s.fleet == nil {
		return
	}
	f := verdict.Figure{Name: name, Ours: float64(ours), Metric: metric, Killed: s.mourned()}
	for _, m := range s.fleet.Members() {
		if m.Alive() {
			_ = m.Look(ctx) // one that does not answer is seen in the figures
		}
		f.Daemons += m.Counters().Sum(metric, labels...)
	}
	s.result.Figures = append(s.result.Figures, f)
	if !f.Killed {
		s.result.Want(f.Criterion())
	}
}

// askFor bounds of how many messages a daemon is asked how they went.
const askFor = 1000

// ways tells how messages went: as the daemons that got them say, or, if those are
// elsewhere, as the sender's does, of all or of so many spread evenly.
func (s *stage) ways(ctx context.Context, from end) error {
	counts := s.book.came()
	if s.fleet == nil {
		var ids []string
		s.book.do(func(l *ledger.Ledger) { ids = l.IDs() })
		step := (len(ids) + askFor - 1) / askFor
		for i := 0; i < len(ids); i += step {
			m, err := from.client.Message(ctx, ids[i])
			if err != nil {
				return err
			}
			counts[m.Path]++
		}
	}
	for _, n := range counts {
		s.result.Asked += n
	}
	s.result.Ways = counts
	return nil
}

// auditInboxes holds the books against the inboxes themselves: each message that
// came has one row there, and no other message of this run has any.
func (s *stage) auditInboxes(ctx context.Context, hearers ...*fleet.Member) error {
	rows, again := 0, 0
	for _, m := range hearers {
		count := map[string]int{}
		for page, err := range m.Client.Inbox(ctx, localapi.InboxQuery{}) {
			if err != nil {
				return err
			}
			for i := range page.Messages {
				if p, _, err := ParseProbe(page.Messages[i].Content); err == nil && p.Run == s.book.run {
					count[page.Messages[i].ID]++
				}
			}
		}
		for _, n := range count {
			rows, again = rows+1, again+n-1
		}
	}
	s.result.Want(
		verdict.Exactly("messages in inboxes", rows, s.result.Counts.Received),
		verdict.None("rows of inboxes that are there already", again),
	)
	return nil
}
