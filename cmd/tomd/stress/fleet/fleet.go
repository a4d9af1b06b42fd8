// Package fleet runs daemons as children: real processes of the executable that
// runs it, each with a data directory of its own, on loopback alone and in a
// network that nobody else is in. It kills, pauses and restarts them, and asks
// them for their metrics all the while, so that what they took of the machine
// can be told afterwards.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fleet is a directory of daemons. Its methods may be called from any goroutine.
type Fleet struct {
	executable string
	extra      []string // arguments of every daemon
	network    string
	dir        string

	watching sync.WaitGroup
	stop     context.CancelFunc

	mu      sync.Mutex
	members []*Member
}

// New makes a fleet without daemons. Every daemon gets the extra arguments. It is
// asked for its metrics so often; Close ends it.
func New(executable string, every time.Duration, extra ...string) (*Fleet, error) {
	dir, err := os.MkdirTemp("", "tom-") // short: sockets lie below it
	if err != nil {
		return nil, fmt.Errorf("make directory for data: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	network := "stress-" + strings.ToLower(strings.TrimPrefix(filepath.Base(dir), "tom-"))
	f := &Fleet{executable: executable, extra: extra, network: network, dir: dir, stop: stop}
	f.watching.Go(func() { f.watch(ctx, every) })
	return f, nil
}

// Data is the data directory of the daemon of that name.
func (f *Fleet) Data(name string) string { return filepath.Join(f.dir, name) }

// Members are all daemons that were ever started, in that order.
func (f *Fleet) Members() []*Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members)
}

// Start starts a daemon with an empty data directory, and returns when it
// answers.
func (f *Fleet) Start(ctx context.Context, name string, args ...string) (*Member, error) {
	m, err := newMember(f, name, args)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.members = append(f.members, m)
	f.mu.Unlock()
	return m, m.launch(ctx)
}

// Stop ends all daemons that run as a user would, and tells what is wrong with
// how they ended.
func (f *Fleet) Stop(ctx context.Context) error {
	var errs []error
	for _, m := range f.Members() {
		if m.Alive() {
			errs = append(errs, m.Stop(ctx))
		}
	}
	return errors.Join(errs...)
}

// Close kills what still runs, and removes all data.
func (f *Fleet) Close() error {
	f.stop()
	f.watching.Wait()
	for _, m := range f.Members() {
		m.Kill()
		m.Client.Close()
	}
	return os.RemoveAll(f.dir)
}

// watch asks every daemon that answers for its metrics, again and again.
func (f *Fleet) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, m := range f.Members() {
			if m.Alive() {
				_ = m.Look(ctx) // one that does not answer now is asked again
			}
		}
	}
}
