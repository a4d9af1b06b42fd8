package reach

import (
	"testing"
	"time"

	"github.com/multiformats/go-multiaddr"
)

func addrs(texts ...string) (list []multiaddr.Multiaddr) {
	for _, s := range texts {
		list = append(list, multiaddr.StringCast(s))
	}
	return list
}

const (
	quic4   = "/ip4/1.2.3.4/udp/4001/quic-v1"
	tcp4    = "/ip4/1.2.3.4/tcp/4001"
	quic6   = "/ip6/2a00::1/udp/4001/quic-v1"
	lan4    = "/ip4/192.168.1.5/udp/4001/quic-v1"
	through = "/p2p/12D3KooWQWLwpaA2rU5CkQovjuK5PWTcDRFKmZMtzwPR2VCaxRZA/p2p-circuit"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	private, public := Verdict{NeedsRelays: true}, Verdict{Public: true}
	type step struct {
		after time.Duration
		a     Addresses
		want  Verdict
	}
	unknown := Addresses{Unknown: addrs(quic4), IPv4: true}
	open := Addresses{Reachable: addrs(quic4), IPv4: true}
	shut := Addresses{Unreachable: addrs(quic4), IPv4: true}
	for name, c := range map[string]struct {
		vouch Vouch
		steps []step
	}{
		"private until something is confirmed": {Auto, []step{
			{0, Addresses{}, private}, {time.Second, unknown, private}, {time.Hour, unknown, private}, {time.Second, open, public},
		}},
		"one confirmed address is enough": {Auto, []step{
			{0, Addresses{Reachable: addrs(tcp4), Unreachable: addrs(quic4), IPv4: true}, public},
		}},
		"private addresses and circuits count for nothing": {Auto, []step{
			{0, Addresses{Reachable: addrs(lan4, quic4+through), IPv4: true}, private},
		}},
		"IPv6 alone leaves those with IPv4 alone to relays": {Auto, []step{
			{0, Addresses{Reachable: addrs(quic6), IPv4: true}, Verdict{Public: true, NeedsRelays: true}},
			{0, Addresses{Reachable: addrs(quic6, quic4), IPv4: true}, public},
			{0, Addresses{Reachable: addrs(quic6)}, public},
		}},
		"a public node that is judged anew stays public for a while": {Auto, []step{
			{0, open, public}, {time.Second, unknown, public}, {doubt - time.Second, unknown, public}, {time.Second, unknown, private},
		}},
		"doubt ends with a verdict": {Auto, []step{
			{0, open, public},
			{time.Second, unknown, public},
			{time.Second, open, public},
			{time.Second, unknown, public},
			{doubt - 1, unknown, public},
			{0, shut, private},
		}},
		"no address left is no doubt": {Auto, []step{
			{0, open, public}, {time.Second, Addresses{IPv4: true}, private},
		}},
		"the user vouches":   {Public, []step{{0, Addresses{}, public}, {time.Second, shut, public}}},
		"the user knows not": {Private, []step{{0, Addresses{}, private}, {time.Second, open, private}}},
	} {
		now := time.Unix(1, 0)
		j := NewJudge(c.vouch)
		for i, s := range c.steps {
			now = now.Add(s.after)
			if got := j.Step(now, s.a); got != s.want {
				t.Errorf("%s, step %d: %+v, want %+v", name, i, got, s.want)
			}
			if d := j.Deadline(); !d.IsZero() && !d.After(now) {
				t.Errorf("%s, step %d: the deadline has passed", name, i)
			}
		}
	}
}

func TestVouching(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Vouch{"": Auto, "auto": Auto, "public": Public, "private": Private} {
		if got, err := ParseVouch(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ParseVouch("open"); err == nil {
		t.Error("open is taken")
	}
}
