package discovery

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// Limits of the cache.
const (
	maxCached     = 256              // peers; the one met longest ago leaves first
	maxRoles      = 8                // of one peer
	maxAddr       = 512              // bytes of an address; whoever has a longer one is not met at it
	maxCacheFile  = 4 << 20          // bytes that are read of it: more than all of the above
	cacheInterval = 10 * time.Second // how often its peers are named again, and changes written
)

// Cache remembers the peers this node has met, over restarts, so that a node
// that was in the network once needs nobody to get in again.
type Cache struct {
	// Wanted says that this node looks for neighbours. While it does not, only
	// those are named who were met since: they may be elsewhere. nil: it always
	// does. Set it before Run.
	Wanted func() bool

	path string // empty: in memory

	mu    sync.Mutex
	met   map[peer.ID]entry
	news  map[peer.ID]bool // met since they were named
	dirty bool
}

// entry is a peer in the cache.
type entry struct {
	ID    string    `json:"id"`
	Addrs []string  `json:"addrs"`
	Met   time.Time `json:"met"`
	First time.Time `json:"first,omitzero"` // zero: before this was noted

	// Friend: no stranger. Strangers leave the cache first, however many say
	// hello.
	Friend bool `json:"friend,omitempty"`

	// Roles are those it offered: it is worth more than other strangers to a node
	// that comes back.
	Roles []uint8 `json:"roles,omitempty"`

	Up uptime `json:"up,omitzero"`
}

// OpenCache reads the cache at path; with an empty path it lives in memory. A
// damaged file is a cache without peers: it is not worth stopping for.
func OpenCache(path string) (*Cache, error) {
	c := &Cache{path: path, met: make(map[peer.ID]entry), news: make(map[peer.ID]bool)}
	if path == "" {
		return c, nil
	}
	b, err := readSmall(path, maxCacheFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil && !errors.Is(err, errNotSmall) {
		return nil, fmt.Errorf("read peer cache: %w", err)
	}
	var all []entry
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		logger.Warnw("peer cache is damaged and begins anew", "path", path, "err", err)
		return c, nil
	}
	for _, e := range all[:min(len(all), maxCached)] {
		if id, err := peer.Decode(e.ID); err == nil {
			e.Up = e.Up.sound(time.Now())
			c.met[id] = e
		}
	}
	return c, nil
}

// Met notes that a peer is connected, where it says it listens, whether it is a
// friend: anybody but a stranger, and which roles it offers.
func (c *Cache) Met(info peer.AddrInfo, now time.Time, friend bool, roles ...uint8) {
	if len(info.Addrs) == 0 {
		return
	}
	e := entry{ID: info.ID.String(), Met: now.UTC().Truncate(time.Second), Friend: friend}
	e.Roles = slices.Clone(roles[:min(len(roles), maxRoles)])
	for _, a := range info.Addrs[:min(len(info.Addrs), maxAddrs)] {
		if text := a.String(); len(text) <= maxAddr {
			e.Addrs = append(e.Addrs, text)
		}
	}
	if len(e.Addrs) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.First = e.Met
	if before := c.met[info.ID]; !before.Met.IsZero() {
		e.First, e.Up = before.since(), before.Up
	}
	e.Up = e.Up.seen(e.Met, true)
	c.met[info.ID], c.news[info.ID], c.dirty = e, true, true
	if len(c.met) > maxCached {
		c.forgetOldest()
	}
}

// Addrs are the addresses at which a peer was met, nil if it was not.
func (c *Cache) Addrs(id peer.ID) []multiaddr.Multiaddr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return parseAddrs(c.met[id].Addrs)
}

// Len is how many peers were met.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.met)
}

// First is when a peer was first met, as far as the cache remembers; zero if it
// was not.
func (c *Cache) First(id peer.ID) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.met[id].since()
}

func (e entry) since() time.Time {
	if e.First.IsZero() {
		return e.Met
	}
	return e.First
}

// parseAddrs leaves out what is no address.
func parseAddrs(texts []string) (addrs []multiaddr.Multiaddr) {
	for _, text := range texts {
		if a, err := multiaddr.NewMultiaddr(text); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

func (c *Cache) forgetOldest() {
	var oldest peer.ID
	for id, e := range c.met {
		if oldest == "" || e.before(c.met[oldest]) {
			oldest = id
		}
	}
	delete(c.met, oldest)
	delete(c.news, oldest)
}

// before says that e leaves the cache before other.
func (e entry) before(other entry) bool {
	if e.Friend != other.Friend {
		return other.Friend
	}
	if (len(e.Roles) > 0) != (len(other.Roles) > 0) {
		return len(other.Roles) > 0
	}
	return e.Met.Before(other.Met)
}

// Offering implements Offering: those met last first.
func (c *Cache) Offering(role uint8) (all []peer.AddrInfo) {
	for _, e := range c.entries() {
		if id, err := peer.Decode(e.ID); err == nil && slices.Contains(e.Roles, role) {
			all = append(all, peer.AddrInfo{ID: id, Addrs: parseAddrs(e.Addrs)})
		}
	}
	return all
}

// Name implements Source.
func (*Cache) Name() string { return "cache" }

// Run implements Source. It also writes what is new.
func (c *Cache) Run(ctx context.Context, found func(peer.AddrInfo)) error {
	tick := time.NewTicker(cacheInterval)
	defer tick.Stop()
	for {
		for _, info := range c.peers(c.Wanted == nil || c.Wanted()) {
			found(info)
		}
		select {
		case <-ctx.Done():
			return c.Save()
		case <-tick.C:
		}
		if err := c.Save(); err != nil {
			logger.Warnw("peer cache not written", "err", err)
		}
	}
}

// peers are those to name, the one met last first: all, or those that are news.
func (c *Cache) peers(all bool) (infos []peer.AddrInfo) {
	c.mu.Lock()
	news := c.news
	c.news = make(map[peer.ID]bool)
	c.mu.Unlock()
	if !all && len(news) == 0 {
		return nil
	}
	for _, e := range c.entries() {
		id, err := peer.Decode(e.ID)
		if err != nil || !all && !news[id] {
			continue
		}
		infos = append(infos, peer.AddrInfo{ID: id, Addrs: parseAddrs(e.Addrs)})
	}
	return infos
}

func (c *Cache) entries() []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]entry, 0, len(c.met))
	for _, e := range c.met {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(b.Met.Compare(a.Met), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Save writes the cache, if it has changed, in place of the file as a whole.
func (c *Cache) Save() error {
	c.mu.Lock()
	dirty := c.dirty
	c.dirty = false
	c.mu.Unlock()
	if !dirty || c.path == "" {
		return nil
	}
	b, err := json.MarshalIndent(c.entries(), "", " ")
	if err != nil {
		return fmt.Errorf("pack peer cache: %w", err)
	}
	return replaceFile(c.path, b)
}

// replaceFile writes a file so that readers see the old one or the new one.
func replaceFile(path string, b []byte) error {
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

var errNotSmall = errors.New("no small file")

// readSmall reads a file that has at most limit bytes.
func readSmall(path string, limit int64) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > limit {
		return nil, fmt.Errorf("%s: %w of at most %d bytes", path, errNotSmall, limit)
	}
	return os.ReadFile(path)
}
