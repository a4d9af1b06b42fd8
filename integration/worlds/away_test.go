package worlds

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

// TestMailOutlivesItsSenders is the storm of the model world with the real
// thing: nodes that leave and return, and some that never do, while they write
// to each other. It takes an hour of thirty nodes under SOAK.
func TestMailOutlivesItsSenders(t *testing.T) {
	s := awayStorm{nodes: 10, messages: 40, restless: 4, deaths: 1, over: 10 * time.Minute}
	if os.Getenv("SOAK") != "" {
		s = awayStorm{nodes: 30, messages: 400, restless: 10, deaths: 3, over: time.Hour}
	}
	inWorld(t, func(t *testing.T, w *world) { s.run(t, w) })
}

type awayStorm struct {
	nodes, messages, restless, deaths int
	over                              time.Duration
}

// letter is one message of the storm.
type letter struct {
	from, to int
	text     string
	id       node.MessageID
}

func (s awayStorm) run(t *testing.T, w *world) {
	rng := rand.New(rand.NewPCG(4, 2))
	all := make([]living, s.nodes+1) // from 1 on
	var links []string
	for i := 1; i <= s.nodes; i++ {
		all[i] = w.start(i, node.Config{Bootstrap: links, Backup: "on"})
		if i <= 3 {
			links = append(links, all[i].Link())
		}
		virtual.Pass(time.Second)
	}
	virtual.Pass(30 * time.Second)
	dead := make(map[int]bool)
	order := rng.Perm(s.nodes)
	for i, n := range order[:s.deaths] {
		time.AfterFunc(s.over*time.Duration(i+1)/time.Duration(s.deaths+1), func() { w.cut(n + 1) })
		dead[n+1] = true
	}
	for _, n := range order[s.deaths:][:s.restless] {
		w.restless(n+1, rng.Uint64(), s.over)
	}
	var letters []letter
	began := time.Now()
	for i := range s.messages {
		virtual.Pass(time.Until(began.Add(s.over * time.Duration(i+1) / time.Duration(s.messages))))
		from, to := 1+rng.IntN(s.nodes), 1+rng.IntN(s.nodes)
		if from == to {
			continue
		}
		l := letter{from: from, to: to, text: fmt.Sprintf("message %d", i)}
		var err error
		if l.id, err = all[from].SendTo(t.Context(), all[to].Key(), node.Text(l.text)); err != nil {
			t.Fatal(err)
		}
		letters = append(letters, l)
	}
	virtual.Pass(8 * time.Minute) // all are there who will ever be
	s.check(t, all, letters, dead)
}

// restless has a node drop off the net and come back until the storm is over.
func (w *world) restless(n int, seed uint64, over time.Duration) {
	rng := rand.New(rand.NewPCG(seed, 1))
	end := time.Now().Add(over)
	var leave, back func()
	leave = func() {
		if time.Now().Before(end) {
			w.dead[n].Store(true)
			time.AfterFunc(time.Minute+time.Duration(rng.Int64N(int64(5*time.Minute))), back)
		}
	}
	back = func() {
		w.dead[n].Store(false)
		time.AfterFunc(time.Minute+time.Duration(rng.Int64N(int64(8*time.Minute))), leave)
	}
	time.AfterFunc(time.Duration(rng.Int64N(int64(5*time.Minute))), leave)
}

func (s awayStorm) check(t *testing.T, all []living, letters []letter, dead map[int]bool) {
	stored, late := 0, 0
	inboxes := make(map[int]map[string]int)
	for i := 1; i <= s.nodes; i++ {
		inboxes[i] = all[i].bodies(t)
	}
	for _, l := range letters {
		st, err := all[l.from].Status(context.Background(), l.id)
		if err != nil {
			t.Fatal(err)
		}
		if trace, err := all[l.from].Trace(context.Background(), l.id); err == nil {
			for _, a := range trace.Attempts {
				if a.Path == "holders" {
					stored++
					break
				}
			}
		}
		n := inboxes[l.to][l.text]
		if n > 1 {
			t.Errorf("%q is there %d times", l.text, n)
		}
		if n == 0 && !dead[l.to] && (!dead[l.from] || st.State >= node.Stored) {
			t.Errorf("%q of %d to %d is not there: %v, %s", l.text, l.from, l.to, st.State, st.Reason)
		}
		if n == 0 {
			late++
		}
	}
	t.Logf("%d messages, %d with holders, %d never received, by or from the dead", len(letters), stored, late)
}
