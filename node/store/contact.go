package store

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// Contact is what the user has said about a peer.
type Contact struct {
	Key   protocols.Key
	Name  string    // the petname; empty for a peer that is only muted
	Addrs [][]byte  // binary multiaddrs, as far as known
	Muted bool      // what it sends raises no event
	Added time.Time // when it was named; zero for a peer that is only muted
}

func (c *Contact) append(b []byte) []byte {
	return appendTime(c.appendV0(b), c.Added)
}

// appendV0 packs the row as layout 0 had it.
func (c *Contact) appendV0(b []byte) []byte {
	b = append(b, flag(c.Muted, flagMuted))
	b = appendText(b, c.Name)
	b = binary.AppendUvarint(b, uint64(len(c.Addrs)))
	for _, a := range c.Addrs {
		b = appendBytes(b, a)
	}
	return b
}

func (c *Contact) parseV0(u *unpacker) {
	c.Muted = u.byte()&flagMuted != 0
	c.Name = u.text()
	for n := u.uint(); n > 0 && u.err == nil; n-- {
		c.Addrs = append(c.Addrs, slices.Clone(u.bytes()))
	}
}

func parseContact(k protocols.Key, row []byte) (Contact, error) {
	u := unpacker{b: row}
	c := Contact{Key: k}
	c.parseV0(&u)
	c.Added = u.time()
	return c, u.err
}

// clone copies what callers may change.
func (c Contact) clone() Contact {
	c.Addrs = slices.Clone(c.Addrs)
	return c
}
