package holder_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/holder"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/message"
)

// rig is some services on a network of function calls.
type rig struct {
	t  *testing.T
	mu sync.Mutex
	// Guarded by mu.
	parties map[protocols.Key]*party
	order   []protocols.Key
}

// party is a node: a service with its store, and what others say to it.
type party struct {
	r      *rig
	key    protocols.Key
	signer protocols.Signer
	store  *store.Store
	svc    *holder.Service
	seen   *prometheus.Registry
	stop   context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	up       bool
	fetched  []*envelope.Envelope
	receipts [][]byte
	placed   backup.Placement
	pushed   int
	liar     func(f backup.Frame) *backup.Answer // answers in its stead; nil: no
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, parties: make(map[protocols.Key]*party)}
}

// add starts one more node.
func (r *rig) add(change func(*holder.Config)) *party {
	r.t.Helper()
	id, err := identity.New()
	must(r.t, err)
	p := &party{r: r, signer: id.Signer(protocols.Main), key: id.Public(), done: make(chan struct{}), up: true}
	vault, err := identity.OpenVault("", id, time.Now)
	must(r.t, err)
	p.store, err = store.Open(store.Config{KV: kv.Memory(), Shred: vault})
	must(r.t, err)
	p.seen = prometheus.NewRegistry()
	cfg := holder.Config{
		Registerer: p.seen,
		Signer:     p.signer, Now: time.Now, InDoubt: func() bool { return false },
		Disk: p.store, Lines: p, Post: p, Expected: true,
		Candidates: p.candidates, Offers: func(protocols.Key) bool { return true },
	}
	if change != nil {
		change(&cfg)
	}
	p.svc = holder.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go func() { defer close(p.done); _ = p.svc.Run(ctx) }()
	synctest.Wait()
	r.mu.Lock()
	r.parties[p.key] = p
	r.order = append(r.order, p.key)
	r.mu.Unlock()
	r.t.Cleanup(func() { p.end(); _ = p.store.Close(); _ = vault.Close() })
	return p
}

func (p *party) end() { p.stop(); <-p.done }

// goDown makes a node unreachable.
func (p *party) goDown() {
	p.mu.Lock()
	p.up = false
	p.mu.Unlock()
}

func (r *rig) at(k protocols.Key) *party {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parties[k]
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.up {
		return nil
	}
	return p
}

func (p *party) candidates(protocols.Key) (all []backup.Candidate) {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	for _, k := range p.r.order {
		if k != p.key && p.r.parties[k].svc.Role() {
			all = append(all, backup.Candidate{Key: k, Known: 48 * time.Hour})
		}
	}
	return all
}

var errAway = errors.New("away")

// Lines.

func (p *party) Connected(k protocols.Key) bool { return p.r.at(k) != nil }

func (p *party) Connect(_ context.Context, k protocols.Key) error {
	if p.r.at(k) == nil {
		return errAway
	}
	return nil
}

func (p *party) SendBackup(to protocols.Key, frame []byte, written func(error)) error {
	other := p.r.at(to)
	if other == nil || p.r.at(p.key) == nil {
		return errAway
	}
	go func() {
		if written != nil {
			written(nil)
		}
		if n, f, err := backup.ParseFrame(frame); err == nil && other.lie() != nil {
			if a := other.lie()(f); a != nil {
				p.svc.Answers(to, [][]byte{a.Append(nil, n)})
				return
			}
		}
		other.svc.Questions(&inbound{from: p, to: to}, [][]byte{frame})
	}()
	return nil
}

func (p *party) lie() func(backup.Frame) *backup.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.liar
}

func (p *party) SendEnvelope(to protocols.Key, frame []byte, written func(error)) error {
	other := p.r.at(to)
	if other == nil {
		return errAway
	}
	other.mu.Lock()
	other.pushed++
	other.mu.Unlock()
	go func() { other.take(p.key, frame); written(nil) }()
	return nil
}

func (p *party) SendAck(to protocols.Key, frame []byte) error {
	if other := p.r.at(to); other != nil {
		return other.Receipts(p.key, frame)
	}
	return errAway
}

// inbound is the stream of one question.
type inbound struct {
	from *party
	to   protocols.Key
	bad  error
}

func (in *inbound) Peer() protocols.Key { return in.from.key }
func (in *inbound) Misbehaved(err error) {
	in.bad = err
}

func (in *inbound) Answer(frame []byte) error {
	if in.from.svc != nil {
		go in.from.svc.Answers(in.to, [][]byte{frame})
	}
	return nil
}

// Post.

func (p *party) Fetched(from protocols.Key, frames [][]byte) {
	for _, f := range frames {
		p.take(from, f)
	}
}

func (p *party) take(from protocols.Key, frame []byte) {
	e, err := envelope.Parse(frame)
	if err != nil {
		p.r.t.Error(err)
		return
	}
	p.svc.Came(from, e.Digest())
	p.mu.Lock()
	p.fetched = append(p.fetched, e)
	p.mu.Unlock()
	r := ack.Receipt{
		Kind: ack.Delivered, From: p.key, To: e.From, Time: uint64(time.Now().UnixMilli()),
		Entries: []ack.Entry{{ID: e.ID, Digest: e.Digest().Short()}},
	}
	p.svc.Signed(&r, ack.Sign(p.signer, r))
}

func (p *party) Receipts(_ protocols.Key, frame []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.receipts = append(p.receipts, frame)
	return nil
}

func (p *party) Placed(_ envelope.ID, how backup.Placement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.placed = how
}

func (p *party) placement() backup.Placement {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.placed
}

func (p *party) have() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.fetched)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sealed is an envelope from one to another, signed.
func (p *party) sealed(to protocols.Key, lifetime time.Duration) *envelope.Envelope {
	now := time.Now()
	content := message.Content{Type: "text/plain", Body: []byte("hello")}
	recipient, err := envelope.IdentityRecipient(to)
	must(p.r.t, err)
	e, err := envelope.NewSealer(p.key, time.Now).Seal(recipient, envelope.NewID(now), now, lifetime, content.Append(nil))
	must(p.r.t, err)
	envelope.Sign(p.signer, []*envelope.Envelope{e})
	return e
}

// write puts a message into the outbox of p and has it placed.
func (p *party) write(to protocols.Key) *envelope.Envelope {
	e := p.sealed(to, 24*time.Hour)
	done := make(chan error, 1)
	p.store.Accept([]*store.Outgoing{{
		ID: e.ID, To: to, Created: e.CreatedAt(), Lifetime: 24 * time.Hour,
		Content: []byte("hello"), Envelope: e.Append(nil), Digest: e.Digest(),
	}}, func(_ store.Cursor, err error) { done <- err })
	must(p.r.t, <-done)
	p.svc.Place(backup.Item{Digest: e.Digest(), ID: e.ID, From: p.key, To: to, End: e.End(), Size: len(e.Append(nil)), Asker: p.key})
	return e
}

// ask puts a question to a node in the name of another, and returns what is
// answered, or the fault that was found with it.
func (p *party) ask(from *party, f backup.Frame) (*backup.Answer, error) {
	in := &recorder{from: from.key, answers: make(chan []byte, 1)}
	p.svc.Questions(in, [][]byte{f.Append(nil, 7)})
	if in.fault != nil {
		return nil, in.fault
	}
	_, a, err := backup.ParseAnswer(<-in.answers)
	return a, err
}

type recorder struct {
	from    protocols.Key
	answers chan []byte
	fault   error
}

func (in *recorder) Peer() protocols.Key  { return in.from }
func (in *recorder) Misbehaved(err error) { in.fault = err }

func (in *recorder) Answer(b []byte) error {
	in.answers <- b
	return nil
}

// counted is what a node's metric shows for a value of its label.
func (p *party) counted(name, value string) float64 {
	p.r.t.Helper()
	families, err := p.seen.Gather()
	must(p.r.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "tom_backup_"+name && m.GetLabel()[0].GetValue() == value {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// copies is how many of the nodes hold something.
func (r *rig) copies(except ...*party) (n int) {
	r.mu.Lock()
	all := slices.Clone(r.order)
	r.mu.Unlock()
	for _, k := range all {
		if p := r.at(k); p != nil && !slices.Contains(except, p) {
			n += p.svc.Usage().Copies
		}
	}
	return n
}

// world runs a test in virtual time.
func world(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t)) })
}

// key1 is somebody's key.
func key1(t *testing.T) protocols.Key {
	t.Helper()
	id, err := identity.New()
	must(t, err)
	return id.Public()
}
