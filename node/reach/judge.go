package reach

import (
	"slices"
	"time"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Addresses are this node's own, by what AutoNAT v2 found out.
type Addresses struct {
	Reachable, Unreachable, Unknown []multiaddr.Multiaddr
	IPv4                            bool // the node has IPv4 at all, if only behind a NAT
}

// Verdict is how the node can be reached.
type Verdict struct {
	// Public: anybody can dial at least one address. Only such a node may relay
	// for others.
	Public bool
	// NeedsRelays: some peers cannot dial any address: all of them where the node
	// is not public, those with IPv4 alone where only IPv6 is confirmed.
	NeedsRelays bool
}

// doubt is how long a public node stays public while its addresses are being
// judged anew.
const doubt = 30 * time.Second

// Judge turns what is known about addresses into a verdict. It starts out
// private: a reservation that was not needed costs little, and one that is missing
// costs every message that comes before the verdict.
type Judge struct {
	vouch  Vouch
	public bool
	until  time.Time // when doubt ends; zero: there is none
}

// NewJudge returns a judge that follows what the user vouches for.
func NewJudge(v Vouch) *Judge { return &Judge{vouch: v, public: v == Public} }

// Step judges. It is to be called when addresses change, and at Deadline.
func (j *Judge) Step(now time.Time, a Addresses) Verdict {
	switch j.vouch {
	case Public:
		return Verdict{Public: true}
	case Private:
		return Verdict{NeedsRelays: true}
	}
	open4 := slices.ContainsFunc(a.Reachable, func(m multiaddr.Multiaddr) bool { return public(m) && is4(m) })
	open := open4 || slices.ContainsFunc(a.Reachable, public)
	switch {
	case open:
		j.public, j.until = true, time.Time{}
	case j.public && slices.ContainsFunc(a.Unknown, public) && (j.until.IsZero() || now.Before(j.until)):
		if j.until.IsZero() {
			j.until = now.Add(doubt)
		}
		open4 = true // as it was
	default:
		j.public, j.until = false, time.Time{}
	}
	return Verdict{Public: j.public, NeedsRelays: !j.public || a.IPv4 && !open4}
}

// Deadline is when Step is due though nothing changed; zero: never.
func (j *Judge) Deadline() time.Time { return j.until }

func public(a multiaddr.Multiaddr) bool { return manet.IsPublicAddr(a) && !relayed(a) }

func is4(a multiaddr.Multiaddr) bool { return has(a, multiaddr.P_IP4) }

func has(a multiaddr.Multiaddr, code int) bool {
	_, err := a.ValueForProtocol(code)
	return err == nil
}

func relayed(a multiaddr.Multiaddr) bool { return has(a, multiaddr.P_CIRCUIT) }
