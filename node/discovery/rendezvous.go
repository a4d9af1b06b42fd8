package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Timing and limits of a rendezvous folder.
const (
	lookInterval  = 500 * time.Millisecond
	touchInterval = 5 * time.Second
	staleAfter    = 20 * time.Second // a file that nobody touches for so long belongs to nobody
	maxFiles      = 256              // that are looked at
	maxFile       = 8 << 10          // bytes of one
)

// Rendezvous is a folder in which the daemons of one user on one machine leave
// their addresses: it works without multicast, and without any network at all.
type Rendezvous struct {
	dir  string
	self func() peer.AddrInfo
}

// NewRendezvous makes a source of the folder dir, which it makes (0700) where it
// is missing. self is where this node listens now.
func NewRendezvous(dir string, self func() peer.AddrInfo) *Rendezvous {
	return &Rendezvous{dir: dir, self: self}
}

// notice is a daemon's file in the folder.
type notice struct {
	ID    string   `json:"id"`
	Addrs []string `json:"addrs"`
}

// Name implements Source.
func (*Rendezvous) Name() string { return "rendezvous" }

// Run implements Source. While it runs, this node's own file is there.
func (r *Rendezvous) Run(ctx context.Context, found func(peer.AddrInfo)) error {
	if err := makePrivate(r.dir); err != nil {
		return err
	}
	own := r.file(r.self().ID)
	defer os.Remove(own)
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	var written string
	var touched time.Time
	for {
		if text := r.notice(); text != written || time.Since(touched) > touchInterval {
			if err := replaceFile(own, []byte(text)); err != nil {
				return fmt.Errorf("leave a notice: %w", err)
			}
			written, touched = text, time.Now()
		}
		if err := r.look(found); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (r *Rendezvous) file(id peer.ID) string { return filepath.Join(r.dir, id.String()+".json") }

func (r *Rendezvous) notice() string {
	self := r.self()
	n := notice{ID: self.ID.String()}
	for _, a := range self.Addrs[:min(len(self.Addrs), maxAddrs)] {
		n.Addrs = append(n.Addrs, a.String())
	}
	b, err := json.Marshal(n)
	if err != nil {
		panic(err) // strings alone
	}
	return string(b)
}

// look reads the others' files and removes those that are stale.
func (r *Rendezvous) look(found func(peer.AddrInfo)) error {
	dir, err := os.Open(r.dir)
	if err != nil {
		return fmt.Errorf("open rendezvous folder: %w", err)
	}
	names, err := dir.Readdirnames(maxFiles)
	dir.Close()
	if err != nil && len(names) == 0 {
		return nil // empty
	}
	for _, name := range names {
		path := filepath.Join(r.dir, name)
		st, err := os.Lstat(path)
		switch {
		case err != nil || !st.Mode().IsRegular():
		case !isNotice(name): // somebody's own file is left alone
		case time.Since(st.ModTime()) > staleAfter:
			os.Remove(path)
		case strings.HasSuffix(name, ".json"):
			if info, err := readNotice(path); err == nil {
				found(info)
			}
		}
	}
	return nil
}

// isNotice says that a daemon gave a file its name, a finished one or not.
func isNotice(name string) bool {
	id, ok := strings.CutSuffix(strings.TrimSuffix(name, ".new"), ".json")
	_, err := peer.Decode(id)
	return ok && err == nil
}

func readNotice(path string) (info peer.AddrInfo, err error) {
	b, err := readSmall(path, maxFile)
	if err != nil {
		return info, err
	}
	var n notice
	if err := json.Unmarshal(b, &n); err != nil {
		return info, err
	}
	if info.ID, err = peer.Decode(n.ID); err != nil {
		return info, err
	}
	info.Addrs = parseAddrs(n.Addrs)
	return info, nil
}

// errNotPrivate is returned for a folder that others could leave files in.
var errNotPrivate = errors.New("the rendezvous folder is not this user's alone")

// makePrivate makes sure that dir is this user's and nobody else's.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make rendezvous folder: %w", err)
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at rendezvous folder: %w", err)
	}
	if !st.IsDir() || !ownedByUser(st) {
		return fmt.Errorf("%s: %w", dir, errNotPrivate)
	}
	return nil
}
