package links

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/stream"
)

// Errors of SendEnvelope, SendAck and Connect, besides stream.ErrTooLong and
// what dialling returns.
var (
	ErrNotConnected = errors.New("peer not connected")
	ErrFull         = stream.ErrFull
	ErrForeign      = errors.New("the peer is not a node of this network")
)

// Links is the set of a host's neighbours and the lines to them. All methods
// are for any goroutine.
type Links struct {
	host  host.Host
	cfg   Config
	ids   [kinds]protocol.ID
	count *counters
	anew  *anew

	started chan struct{} // closed once Run runs

	wake   chan struct{} // holds at most one token: dirty or changes is not empty
	sooner chan struct{} // holds at most one token: the agenda begins earlier

	mu      sync.Mutex // guards what follows and all neighbours; taken before a Line's own lock
	peers   map[peer.ID]*neighbour
	dirty   []*neighbour // of whom the handlers have something to hear
	changes []change     // of states, which the handler has not heard of

	agenda    agenda
	standings map[Peer]*standing
	watched   map[Peer]time.Time   // for whom somebody waits, and since when
	leaned    map[peer.ID]struct{} // relays by which others reach this node

	lines   map[*stream.Line]struct{} // all that are open, either way
	parted  bool                      // they were told to end
	running context.Context           // Run's; nil while it does not run
	work    sync.WaitGroup            // goroutines that Run waits for
}

// New makes the links of h. From now on the host says that it speaks our
// protocols; nothing else happens before Run, for which streams wait.
func New(h host.Host, cfg Config) *Links {
	if cfg.Network == "" {
		cfg.Network = protocols.Main
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Limits = cfg.Limits.withDefaults()
	cfg.Handlers = cfg.Handlers.withDefaults()
	l := &Links{
		host:    h,
		cfg:     cfg,
		ids:     protocolIDs(cfg.Network),
		count:   newCounters(cfg.Registerer),
		anew:    newAnew(h),
		started: make(chan struct{}),
		wake:    make(chan struct{}, 1),
		sooner:  make(chan struct{}, 1),

		standings: make(map[Peer]*standing),
		watched:   make(map[Peer]time.Time),
		leaned:    make(map[peer.ID]struct{}),
		peers:     make(map[peer.ID]*neighbour),
		lines:     make(map[*stream.Line]struct{}),
	}
	for k, id := range l.ids {
		h.SetStreamHandler(id, l.server(kind(k)))
	}
	return l
}

// Run keeps the lines until ctx ends, then closes them and returns nil. It may
// be called once.
func (l *Links) Run(ctx context.Context) error {
	watch, err := l.watch()
	if err != nil {
		return fmt.Errorf("watch identification: %w", err)
	}
	l.mu.Lock()
	l.running = ctx
	l.mu.Unlock()

	notifee := &network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { l.connected(c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { l.disconnected(c) },
	}
	l.host.Network().Notify(notifee)
	for _, c := range l.host.Network().Conns() {
		l.connected(c)
	}
	close(l.started)

	l.work.Go(func() { l.keepAgenda(ctx) })
	l.dispatch(ctx)

	for _, id := range l.ids {
		l.host.RemoveStreamHandler(id)
	}
	l.host.Network().StopNotify(notifee)
	l.closeLines()
	l.dropHeld()
	_ = watch.Close()
	l.work.Wait()
	return nil
}

// spawn runs f beside Run, which waits for it. False: Run does not run.
func (l *Links) spawn(f func(ctx context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spawnLocked(f)
}

func (l *Links) spawnLocked(f func(ctx context.Context)) bool {
	if !l.enterLocked() {
		return false
	}
	ctx := l.running
	go func() {
		defer l.work.Done()
		f(ctx)
	}()
	return true
}

// enter has Run wait for the calling goroutine, until it calls l.work.Done.
// False: Run does not run.
func (l *Links) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.enterLocked()
}

func (l *Links) enterLocked() bool {
	if l.running == nil || l.running.Err() != nil {
		return false
	}
	l.work.Add(1)
	return true
}

// newLine makes a line on a stream, through the weather there is.
func (l *Links) newLine(raw stream.Raw, lim stream.Limits) *stream.Line {
	if l.cfg.Expose != nil {
		raw = l.cfg.Expose(raw)
	}
	return stream.NewLine(raw, lim)
}

// track remembers an open line, so that the end of Run ends it. One that comes
// when the others were told already ends at once: else Run would wait for it
// until it has been idle for long enough.
func (l *Links) track(line *stream.Line) {
	l.mu.Lock()
	l.lines[line] = struct{}{}
	late := l.parted
	l.mu.Unlock()
	if late {
		line.Reset()
	}
}

// untrack waits for a line that was told to end, and forgets it.
func (l *Links) untrack(line *stream.Line) {
	<-line.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.lines, line)
}

// dropHeld tells what was still held that it does not go.
func (l *Links) dropHeld() {
	l.mu.Lock()
	var thens []func()
	for _, n := range l.peers {
		thens = append(thens, n.failHeld(ErrNotConnected))
	}
	l.mu.Unlock()
	for _, then := range thens {
		then()
	}
}

// farewell is how long lines may take to write what is queued when Run ends.
const farewell = time.Second

// closeLines lets open lines finish writing, for a moment.
func (l *Links) closeLines() {
	l.mu.Lock()
	l.parted = true
	open := make([]*stream.Line, 0, len(l.lines))
	for line := range l.lines {
		open = append(open, line)
	}
	l.mu.Unlock()
	for _, line := range open {
		line.Close()
	}
	late := time.NewTimer(farewell)
	defer late.Stop()
	for _, line := range open {
		select {
		case <-line.Done():
		case <-late.C:
			late.Reset(0)
			line.Reset()
		}
	}
}
