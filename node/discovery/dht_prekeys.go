package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

// prekeySpace is the name space of prekey records in the DHT.
const prekeySpace = "tom-prekeys"

// prekeyQuorum is how many holders' records are compared before the newest of
// them is taken: it saves asking the rest.
const prekeyQuorum = 3

// secondHolder is how long the others are waited for once one holder has
// answered. Often the node itself is among those to ask, and away: its dial
// would last longer than a message waits for prekeys.
const secondHolder = 300 * time.Millisecond

// prekeyPath is where a node's prekeys are.
func prekeyPath(k protocols.Key) string { return "/" + prekeySpace + "/" + string(k[:]) }

// Prekeys looks up the signed record of a node. What it returns has been
// verified.
func (d *DHT) Prekeys(ctx context.Context, k protocols.Key) (b []byte, err error) {
	err = d.ask(ctx, "prekeys", func(ctx context.Context, kad *dht.IpfsDHT) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		better, err := kad.SearchValue(ctx, prekeyPath(k), dht.Quorum(prekeyQuorum))
		if err != nil {
			return err
		}
		b = lastOf(better)
		if b == nil {
			return cmp.Or(ctx.Err(), ErrNotFound)
		}
		return nil
	})
	return b, err
}

// lastOf is the best of what comes, each better than the one before.
func lastOf(better <-chan []byte) (best []byte) {
	var late <-chan time.Time
	for {
		select {
		case b, more := <-better:
			if !more {
				return best
			}
			if best = b; late == nil {
				late = time.After(secondHolder)
			}
		case <-late:
			return best
		}
	}
}

// validator checks prekey records.
func (d *DHT) validator() *prekeyValidator {
	return &prekeyValidator{network: d.cfg.Network, now: d.cfg.Now, count: d.count.record}
}

// prekeyValidator accepts under a node's key what that node has signed, and no
// longer than it may be used.
type prekeyValidator struct {
	network protocols.Network
	now     func() time.Time
	count   func(outcome string)
}

var (
	errForeignRecord = errors.New("a record of another node")
	errOldRecord     = errors.New("a record that is too old")
)

// recordAge is when a record is not worth looking at any more.
const recordAge = prekeys.MaxKeys * 24 * time.Hour

// Validate implements record.Validator.
func (v *prekeyValidator) Validate(path string, b []byte) error {
	_, outcome, err := v.parse(path, b)
	v.count(outcome)
	return err
}

func (v *prekeyValidator) parse(path string, b []byte) (r *prekeys.Record, outcome string, err error) {
	raw, ok := strings.CutPrefix(path, "/"+prekeySpace+"/")
	if !ok || len(raw) != protocols.KeySize {
		return nil, "no key", protocols.ErrKey
	}
	now := v.now()
	if r, err = prekeys.Parse(v.network, b, now); err != nil {
		return nil, "invalid", err
	}
	switch {
	case string(r.Node[:]) != raw:
		return nil, "foreign", errForeignRecord
	case r.Made < uint64(now.Add(-recordAge).UnixMilli()) || r.Keys[len(r.Keys)-1].Day+1 < prekeys.DayOf(now):
		return nil, "old", errOldRecord
	}
	return r, "accepted", nil
}

// Select implements record.Validator: the newest counts.
func (v *prekeyValidator) Select(path string, values [][]byte) (int, error) {
	best, at := (*prekeys.Record)(nil), -1
	for i, b := range values {
		if r, _, err := v.parse(path, b); err == nil && r.Newer(best) {
			best, at = r, i
		}
	}
	if at < 0 {
		return 0, prekeys.ErrRecord
	}
	return at, nil
}

// publishPrekeys leaves this node's record with its holders.
func (d *DHT) publishPrekeys(ctx context.Context, kad *dht.IpfsDHT, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	r, err := prekeys.Parse(d.cfg.Network, b, d.cfg.Now())
	if err != nil {
		return fmt.Errorf("own prekeys: %w", err)
	}
	return kad.PutValue(ctx, prekeyPath(r.Node), b)
}
