package stress

import (
	"context"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
	"github.com/tom-protocol/tom/node/localapi"
)

// parts is in how many equal parts arrivals are counted, to be drawn.
const parts = 120

// tally writes what the books say into the result.
func (s *stage) tally(ctx context.Context) {
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
	s.compareFigures(ctx)
}

// compareFigures puts the books beside the daemons' own metrics.
func (s *stage) compareFigures(ctx context.Context) {
	if s.fleet == nil {
		return
	}
	var received, delivered float64
	for _, m := range s.fleet.Members() {
		if m.Alive() {
			_ = m.Look(ctx) // one that does not answer is seen in the figures
		}
		counted := m.Counters()
		received += counted.Sum("tom_received_total")
		delivered += counted.Sum("tom_ended_total", `state="delivered"`)
	}
	c := s.result.Counts
	came := verdict.Figure{Name: "received", Ours: float64(c.Received), Daemons: received, Metric: "tom_received_total", Killed: s.killed}
	signed := verdict.Figure{Name: "delivered", Ours: float64(c.Delivered), Daemons: delivered, Metric: `tom_ended_total{state="delivered"}`, Killed: s.killed}
	s.result.Figures = append(s.result.Figures, came, signed)
	s.result.Want(came.Criterion())
	if !s.killed { // who is killed between a receipt and the note of it gets it, and counts it, again
		s.result.Want(signed.Criterion())
	}
}

// ways are how a message goes, as daemons call them; "none" has gone none yet.
var ways = []string{"direct", "relayed", "relays", "dial", "none"}

// askFor bounds of how many messages it is asked how they went.
const askFor = 1000

// ways asks the sender's daemon how messages went: of all of them, or of so many
// spread evenly.
func (s *stage) askWays(ctx context.Context, client *localapi.Client) error {
	var ids []string
	s.book.do(func(l *ledger.Ledger) { ids = l.IDs() })
	step := (len(ids) + askFor - 1) / askFor
	counts := map[string]int{}
	for i := 0; i < len(ids); i += step {
		m, err := client.Message(ctx, ids[i])
		if err != nil {
			return err
		}
		way := m.Path
		if way == "" {
			way = "none"
		}
		counts[way]++
		s.result.Asked++
	}
	s.result.Ways = counts
	return nil
}

// auditInbox holds the books against the inbox itself: each message that came
// has one row there, and no other message of this run has any.
func (s *stage) auditInbox(ctx context.Context, client *localapi.Client) error {
	rows := map[string]int{}
	for page, err := range client.Inbox(ctx, localapi.InboxQuery{}) {
		if err != nil {
			return err
		}
		for i := range page.Messages {
			if p, _, err := ParseProbe(page.Messages[i].Content); err == nil && p.Run == s.book.run {
				rows[page.Messages[i].ID]++
			}
		}
	}
	again := 0
	for _, n := range rows {
		again += n - 1
	}
	s.result.Want(
		verdict.Exactly("messages in the inbox", len(rows), s.result.Counts.Received),
		verdict.None("rows of the inbox that are there already", again),
	)
	return nil
}
