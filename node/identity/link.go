package identity

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/tom-protocol/tom/protocols"
)

const (
	linkPrefix = "tom:peer/"
	// maxLink bounds the length of a link in bytes.
	maxLink = 4 << 10
	// MaxLinkAddrs is the most addresses a link carries.
	MaxLinkAddrs = 8
)

// Link is a contact as users share it, written
//
//	tom:peer/<peer id>?a=<multiaddr>&a=…&n=<name>
//
// It is enough to connect without any lookup. Name is what the peer calls
// itself: a claim.
type Link struct {
	Peer  protocols.Key
	Addrs []ma.Multiaddr // without the peer's own /p2p part, best first
	Name  string
}

// String writes the link with at most MaxLinkAddrs addresses, public ones
// first, then those of the local network, then relayed ones.
func (l Link) String() string {
	var b strings.Builder
	b.WriteString(linkPrefix)
	b.WriteString(PeerIDOf(l.Peer).String())
	sep := byte('?')
	put := func(key, value string) {
		b.WriteByte(sep)
		b.WriteString(key + "=" + value)
		sep = '&'
	}
	for _, a := range SelectAddrs(l.Addrs) {
		put("a", queryUnescaper.Replace(url.QueryEscape(a.String())))
	}
	if name := cleanName(l.Name); name != "" {
		put("n", url.QueryEscape(name))
	}
	return b.String()
}

// queryUnescaper keeps multiaddrs legible: a query may hold these as they are.
var queryUnescaper = strings.NewReplacer("%2F", "/", "%3A", ":")

// IsLink says that s means to be a link, whether or not it is a good one.
func IsLink(s string) bool { return strings.HasPrefix(s, "tom:") }

// ParseLink reads a link. Addresses of transports it does not know are left
// out, as are those beyond MaxLinkAddrs; parameters it does not know are
// ignored.
func ParseLink(s string) (Link, error) {
	rest, ok := strings.CutPrefix(s, linkPrefix)
	if !ok {
		return Link{}, fmt.Errorf("a contact link begins with %s", linkPrefix)
	}
	if len(s) > maxLink {
		return Link{}, fmt.Errorf("contact link of %d bytes: at most %d are allowed", len(s), maxLink)
	}
	name, query, _ := strings.Cut(rest, "?")
	id, err := peer.Decode(name)
	if err != nil {
		return Link{}, fmt.Errorf("contact link: %q is no peer id", name)
	}
	key, err := KeyOf(id)
	if err != nil {
		return Link{}, fmt.Errorf("contact link: %w", err)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return Link{}, fmt.Errorf("contact link: %w", err)
	}
	addrs, err := parseLinkAddrs(id, values["a"])
	if err != nil {
		return Link{}, fmt.Errorf("contact link: %w", err)
	}
	return Link{Peer: key, Addrs: addrs, Name: cleanName(values.Get("n"))}, nil
}

func parseLinkAddrs(id peer.ID, texts []string) ([]ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	var unknown error
	for _, text := range texts {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			unknown = err
			continue
		}
		a, owner := peer.SplitAddr(a)
		if owner != "" && owner != id {
			return nil, fmt.Errorf("address %s leads to another peer", text)
		}
		if a != nil && len(addrs) < MaxLinkAddrs {
			addrs = append(addrs, a)
		}
	}
	if len(addrs) == 0 && unknown != nil {
		return nil, errors.Join(errors.New("none of its addresses can be used"), unknown)
	}
	return addrs, nil
}
