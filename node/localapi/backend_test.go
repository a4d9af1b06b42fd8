package localapi

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

var testTime = At(time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC))

// memory is a Backend without a node: it keeps what it is given, so that the
// way through client, socket and server can be held against it.
type memory struct {
	GroupBackend // has none: groups are held against real processes

	mu       sync.Mutex
	oldest   Cursor
	events   []Event
	inbox    []Received
	messages map[string]Message
	contacts map[string]Contact
	wakes    map[chan struct{}]bool
	block    chan struct{} // Connect waits for it
}

func newMemory() *memory {
	return &memory{messages: map[string]Message{}, contacts: map[string]Contact{}, wakes: map[chan struct{}]bool{}}
}

// append makes an event of e, with the next number; the caller holds mu.
func (m *memory) append(e Event) Cursor {
	e.Cursor, e.At = m.newest()+1, testTime
	m.events = append(m.events, e)
	for wake := range m.wakes {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	return e.Cursor
}

func (m *memory) newest() Cursor {
	if len(m.events) == 0 {
		return m.oldest
	}
	return m.events[len(m.events)-1].Cursor
}

func (m *memory) receive(text string) Cursor {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := Received{ID: "in-" + text, From: "peer-bob", Name: "bob?", Content: NewContent(DefaultType, []byte(text)), Created: testTime, Received: testTime, Path: "direct", Stranger: true, Cursor: m.newest() + 1}
	m.inbox = append(m.inbox, row)
	return m.append(*receivedEvent(&row))
}

func (m *memory) setState(id string, s State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	msg := m.messages[id]
	msg.State = s
	m.messages[id] = msg
	m.append(Event{Kind: EventState, ID: id, Peer: msg.To, State: s})
}

// forget drops all events up to c, as the passing of 24 h does.
func (m *memory) forget(c Cursor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.oldest = c
	m.events = slices.DeleteFunc(m.events, func(e Event) bool { return e.Cursor <= c })
}

func (m *memory) Identity(context.Context) (Identity, error) {
	return Identity{ID: "me", Link: "tom:peer/me"}, nil
}

func (m *memory) Status(context.Context) (Status, error) {
	return Status{ID: "me", Version: "1", UptimeMS: 5, Reachability: "local", Peers: 2, Notices: []string{"port taken"}}, nil
}

func (m *memory) Peers(context.Context) ([]Peer, error) {
	return []Peer{{ID: "bob", Name: "bob", Path: "direct", RTTMS: 1.5, Since: testTime, Addr: "/ip4/127.0.0.1/tcp/1"}}, nil
}

func (m *memory) Connect(ctx context.Context, target string) (Peer, error) {
	if m.block != nil {
		select {
		case <-m.block:
		case <-ctx.Done():
			return Peer{}, ctx.Err()
		}
	}
	if target == "/dead" {
		return Peer{}, Errorf(CodeUnreachable, "nobody answers at %s", target).WithHint("is it running?")
	}
	return Peer{ID: target}, nil
}

func (m *memory) Find(_ context.Context, peer string) ([]Found, error) {
	return []Found{{Source: "cache", Addrs: []string{"/dns4/" + peer}, TookMS: 0.5}, {Source: "dht", Error: "nobody to ask"}}, nil
}

func (m *memory) Measured(_ context.Context, peer string) (Measured, error) {
	if peer == "nobody" {
		return Measured{}, Errorf(CodeUnknownPeer, "there is no %s", peer)
	}
	return Measured{ID: peer, Known: true, Used: testTime, Weight: 1.5, Terms: []Term{{What: "carried", Count: 0.5, Factor: 1.5}}}, nil
}

func (m *memory) Mailbox(context.Context) (Mailbox, error) {
	return Mailbox{Offers: true, Messages: 3, Quota: 1 << 20}, nil
}

func (m *memory) Relays(context.Context) ([]Relay, error) {
	return []Relay{{ID: "bob", Rank: 1, Reserved: true, Success: 1, LatencyMS: 2.5, Why: "contact"}}, nil
}

func (m *memory) Doctor(context.Context) (Doctor, error) {
	return Doctor{
		Reachability: "private", UDP: NAT{Mapping: "endpoint-independent", Filtering: "unknown"},
		Ways: []Way{{Transport: "udp", IP: 4, State: "unreachable"}}, Relays: []string{"bob"},
		Findings: []Finding{{Problem: "no port mapping", Advice: "turn on UPnP"}},
	}, nil
}

func (m *memory) Send(_ context.Context, out Outgoing) (Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := fmt.Sprintf("out-%d", len(m.messages))
	m.messages[id] = Message{ID: id, To: out.To, State: Queued, Reason: out.Type + " " + out.Body, Created: testTime}
	m.append(Event{Kind: EventState, ID: id, Peer: out.To, State: Queued})
	return Accepted{ID: id, To: out.To}, nil
}

func (m *memory) Message(_ context.Context, id string) (Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	msg, ok := m.messages[id]
	if !ok {
		return Message{}, Errorf(CodeNotFound, "no message %s", id)
	}
	return msg, nil
}

func (m *memory) Trace(_ context.Context, id string) (Trace, error) {
	return Trace{ID: id, Attempts: []Attempt{{At: testTime, Path: "direct"}}}, nil
}

func (m *memory) Receipt(_ context.Context, id string) (Receipt, error) {
	return Receipt{Network: "main", ID: id, Digest: []byte{1, 2}, Receipt: []byte{3}}, nil
}

func (m *memory) Inbox(_ context.Context, q InboxQuery) ([]Received, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rows []Received
	for _, row := range m.inbox {
		if row.Cursor <= q.Since || q.Unread && row.Read || q.Requests && !row.Stranger {
			continue
		}
		if len(rows) == q.Limit {
			return rows, true, nil
		}
		rows = append(rows, row)
	}
	return rows, false, nil
}

func (m *memory) Talks(context.Context) (TalkList, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return TalkList{[]Talk{{ID: "peer-bob", Name: "bob?", Unread: len(m.inbox), Newest: testTime, Stranger: true}}, m.newest()}, nil
}

func (m *memory) Talk(_ context.Context, peer string, before Cursor, limit int) (page TalkPage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, row := range m.inbox {
		if row.From == peer && (before == 0 || row.Cursor < before) {
			page.Words = append(page.Words, Words{Received: &row})
		}
	}
	if n := len(page.Words) - limit; n > 0 {
		page.More, page.Words = true, page.Words[n:]
	}
	if len(page.Words) > 0 {
		page.Before = page.Words[0].Received.Cursor
	}
	return page, nil
}

func (m *memory) MarkRead(_ context.Context, rows []Cursor) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.inbox {
		if slices.Contains(rows, m.inbox[i].Cursor) {
			m.inbox[i].Read = true
		}
	}
	return nil
}

func (m *memory) Contacts(context.Context) ([]Contact, error) { return nil, nil }

func (m *memory) AddContact(_ context.Context, target, petname string) (Contact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contacts[target] = Contact{ID: target, Name: petname, Added: testTime}
	return m.contacts[target], nil
}

func (m *memory) change(peer string, f func(*Contact)) (Contact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.contacts[peer]
	if !ok {
		return c, Errorf(CodeUnknownPeer, "nobody is called %q", peer).WithHint("tomd contact list")
	}
	f(&c)
	m.contacts[peer] = c
	return c, nil
}

func (m *memory) RemoveContact(_ context.Context, peer string) (Contact, error) {
	c, err := m.change(peer, func(*Contact) {})
	delete(m.contacts, peer)
	return c, err
}

func (m *memory) RenameContact(_ context.Context, peer, petname string) (Contact, error) {
	return m.change(peer, func(c *Contact) { c.Name = petname })
}

func (m *memory) Mute(_ context.Context, peer string, muted bool) (Contact, error) {
	return m.change(peer, func(c *Contact) { c.Muted = muted })
}

func (m *memory) Cursors(context.Context) (oldest, newest Cursor, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.oldest, m.newest(), nil
}

func (m *memory) Events(_ context.Context, since Cursor, limit int) ([]Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var events []Event
	for _, e := range m.events {
		if e.Cursor > since && len(events) < limit {
			events = append(events, e)
		}
	}
	return events, nil
}

func (m *memory) Subscribe() (<-chan struct{}, func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wake := make(chan struct{}, 1)
	m.wakes[wake] = true
	return wake, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.wakes, wake)
	}
}
