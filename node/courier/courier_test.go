package courier

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// desert is where nobody ever answers: a dial there ends when it is given up.
type desert struct{ dialled chan protocols.Key }

func (desert) SendEnvelope(protocols.Key, []byte, func(error)) error { return context.Canceled }
func (desert) SendAck(protocols.Key, []byte) error                   { return context.Canceled }
func (desert) Connected(protocols.Key) bool                          { return false }
func (desert) Watch(protocols.Key, bool)                             {}
func (desert) Probe(context.Context, protocols.Key) bool             { return false }

func (d desert) Connect(ctx context.Context, p protocols.Key) error {
	d.dialled <- p
	<-ctx.Done()
	return ctx.Err()
}

func somebody(t *testing.T) *identity.Identity {
	t.Helper()
	id, err := identity.New()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// running is a courier in the desert, until the test ends.
func running(t *testing.T) (*Courier, desert) {
	t.Helper()
	nowhere := desert{make(chan protocols.Key, 1024)}
	return runningOn(t, nowhere, func() bool { return false }), nowhere
}

// runningOn is a courier with these connections, until the test ends.
func runningOn(t *testing.T, lines Lines, inDoubt func() bool) *Courier {
	t.Helper()
	return runningWith(t, func(cfg *Config) { cfg.Lines, cfg.InDoubt = lines, inDoubt })
}

// runningWith is a courier that set has completed, until the test ends.
func runningWith(t *testing.T, set func(*Config)) *Courier {
	t.Helper()
	me := somebody(t)
	vault, err := identity.OpenVault("", me, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Config{KV: kv.Memory(), Shred: vault, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Signer: me.Signer(protocols.Main), Prekeys: vault, Agreement: vault, Store: s,
		Now: time.Now, InDoubt: func() bool { return false }, OutboxLimit: 8 << 20,
		Count: NewCounters(prometheus.NewRegistry()),
	}
	set(&cfg)
	c := New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := vault.Close(); err != nil {
			t.Error(err)
		}
	})
	<-c.ready
	return c
}

func TestStrangersWhoDoNotAnswerKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	c, nowhere := running(t)
	for range 200 {
		if err := c.enclosing(t, somebody(t).Public()); err != nil {
			t.Fatal(err)
		}
	}
	for range maxKnocks {
		<-nowhere.dialled
	}
	friend := somebody(t).Public()
	if _, err := c.Send(t.Context(), Draft{To: friend, Type: "text/plain", Body: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	select {
	case p := <-nowhere.dialled:
		if p != friend {
			t.Error("one more stranger is dialled")
		}
	case <-time.After(10 * time.Second):
		t.Error("the friend is not dialled")
	}
}

// enclosing accepts receipts for an author who is away.
func (c *Courier) enclosing(t *testing.T, author protocols.Key) error {
	_, err := c.accept(t.Context(), Draft{To: author, Type: "tom/receipts", Body: []byte("receipts"), Lifetime: time.Hour}, true)
	return err
}

// prekeysOf is a record of somebody's prekey of the day.
func prekeysOf(who *identity.Identity, made time.Time, key byte) []byte {
	return prekeys.Sign(who.Signer(protocols.Main), made, []prekeys.DayKey{{Day: prekeys.DayOf(time.Now()), Public: [32]byte{key}}})
}

// news says whether a record is news of somebody.
func news(k *keyring, who *identity.Identity, record []byte) bool {
	return len(k.learn(map[protocols.Key][]byte{who.Public(): record})) > 0
}

func TestNewestPrekeysWin(t *testing.T) {
	t.Parallel()
	c, _ := running(t)
	bob, now := somebody(t), time.Now()
	record := func(made time.Time) []byte { return prekeysOf(bob, made, 9) }
	if !news(c.keys, bob, record(now.Add(-time.Hour))) || !news(c.keys, bob, record(now)) {
		t.Error("newer prekeys are no news")
	}
	if news(c.keys, bob, record(now.Add(-time.Minute))) {
		t.Error("older prekeys are news")
	}
	if news(c.keys, somebody(t), record(now)) {
		t.Error("bob's prekeys are taken for another's")
	}
	if _, ok := c.keys.choose(bob.Public(), now); !ok {
		t.Error("no prekey at hand")
	}
}

// A neighbour says the same each time it comes, and a signature costs more to
// verify than all else that is said then.
func TestKnownPrekeysAreNotJudgedAgain(t *testing.T) {
	t.Parallel()
	c, _ := running(t)
	bob, judged := somebody(t), 0
	keys := newKeyring(c.Store, protocols.Main, func() time.Time { judged++; return time.Now() })
	record := prekeysOf(bob, time.Now(), 9)
	for i := range 3 {
		if new := news(keys, bob, record); new != (i == 0) {
			t.Errorf("said %d times before: news %v", i, new)
		}
	}
	if judged != 1 {
		t.Errorf("judged %d times", judged)
	}
	if !news(keys, bob, prekeysOf(bob, time.Now().Add(time.Minute), 8)) {
		t.Error("newer prekeys are no news")
	}
}

// Those of many are learnt together, and what is no good among them is left out.
func TestThePrekeysOfManyAreLearntTogether(t *testing.T) {
	t.Parallel()
	c, _ := running(t)
	now, told, good := time.Now(), make(map[protocols.Key][]byte), make(map[protocols.Key]bool)
	for i := range 12 {
		who := somebody(t)
		record := prekeysOf(who, now, byte(i))
		switch i {
		case 3:
			record[len(record)-1] ^= 1
		case 5:
			record = prekeysOf(somebody(t), now, 5)
		case 7:
			record = []byte{0x90}
		case 9:
			record = nil
		default:
			good[who.Public()] = true
		}
		told[who.Public()] = record
	}
	news := make(map[protocols.Key]bool)
	for _, p := range c.keys.learn(told) {
		news[p] = true
	}
	if !maps.Equal(news, good) {
		t.Errorf("learnt of %d, want %d: %v", len(news), len(good), news)
	}
	for p := range told {
		if _, ok := c.keys.choose(p, now); ok != good[p] {
			t.Errorf("a key at hand: %v", ok)
		}
	}
}

func TestPrekeysAreInMemoryOfThoseWhoAreSealedTo(t *testing.T) {
	t.Parallel()
	c, _ := running(t)
	bob, carol, now := somebody(t), somebody(t), time.Now()
	learn := func(who *identity.Identity, made time.Time, key byte) {
		t.Helper()
		if !news(c.keys, who, prekeysOf(who, made, key)) {
			t.Error("newer prekeys are no news")
		}
	}
	chosen := func(who *identity.Identity, want byte) {
		t.Helper()
		if to, ok := c.keys.choose(who.Public(), now); !ok || to.Public != [32]byte{want} {
			t.Errorf("to be sealed to %x, %v, want %d", to.Public, ok, want)
		}
	}
	learn(bob, now.Add(-time.Hour), 1)
	learn(bob, now.Add(-time.Minute), 2)
	if n := len(c.keys.records); n != 0 {
		t.Errorf("%d records of those to whom nothing is sealed", n)
	}
	chosen(bob, 2)
	learn(bob, now, 3)
	chosen(bob, 3)
	if _, ok := c.keys.choose(carol.Public(), now); ok {
		t.Error("prekeys of somebody unknown")
	}
	learn(carol, now, 4)
	chosen(carol, 4)
	if n := len(c.keys.records); n != 2 {
		t.Errorf("%d records in memory, want 2", n)
	}
}
