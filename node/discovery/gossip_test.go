package discovery

import (
	"slices"
	"strings"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/protocols"
)

func (p *presenceNode) judgedAs(v verdict) int {
	return int(testutil.ToFloat64(p.Presence.count.records.WithLabelValues(string(v))))
}

func TestFloodOfPresencesIsContainedAndCounted(t *testing.T) {
	inSim(t, func(t *testing.T, s *sim) {
		all := s.ring(12, func(int) []uint8 { return nil })
		near, far := all[0], all[6]
		evil := s.host(20)
		s.connect(evil, near.Host)
		ps, err := pubsub.NewGossipSub(t.Context(), evil,
			pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(),
			pubsub.WithMessageIdFn(gossipID), pubsub.WithFloodPublish(true)) // in the mesh or not
		if err != nil {
			t.Fatal(err)
		}
		topic, err := ps.Join(protocols.PresenceTopic)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := topic.Subscribe(); err != nil {
			t.Fatal(err)
		}
		virtual.Pass(time.Minute)
		const junk = 1000
		publish := func(raw []byte) {
			t.Helper()
			if err := topic.Publish(t.Context(), raw); err != nil {
				t.Fatal(err)
			}
			virtual.Pass(10 * time.Millisecond)
		}
		for range junk { // one origin, well signed
			publish(said(signerNo(1), time.Now(), somewhere, 1))
		}
		virtual.Pass(time.Minute)
		if n := near.judgedAs(accepted); n != 1 {
			t.Errorf("%d of one origin accepted", n)
		}
		if n := near.judgedAs(often) + near.judgedAs(flood); n < junk/2 {
			t.Errorf("%d refused and counted", n)
		}
		if n := far.judgedAs(accepted); n != 1 {
			t.Errorf("%d of one origin came further", n)
		}
		for i := range junk { // an origin each
			publish(said(signerNo(100+i), time.Now(), somewhere, 1))
		}
		virtual.Pass(time.Minute)
		if n := far.judgedAs(accepted); n > neighbourBurst+100 {
			t.Errorf("%d of many origins came further", n)
		}
		if n := near.judgedAs(flood); n == 0 {
			t.Error("the flood was not counted")
		}
		all[3].roles.Store(&[]uint8{1}) // an honest one, later, among what is left of it
		virtual.Until(t, 2*presenceInterval(neighbourBurst+200), time.Minute, "all have heard of the honest relay", func() bool {
			return !slices.ContainsFunc(all, func(p *presenceNode) bool {
				_, err := p.Find(t.Context(), all[3].Host.ID())
				return err != nil && p != all[3]
			})
		})
	})
}

// Peers that a neighbour names when it prunes this node from its mesh are not
// dialled: otherwise any neighbour could have us dial whomever it likes.
func TestNobodyIsDialledBecauseANeighbourSaysSo(t *testing.T) {
	t.Parallel()
	if gossipParams().Connectors != 0 {
		t.Error("peer exchange dials")
	}
}

func TestOnlyTopicsOfThisNetworkAreFollowed(t *testing.T) {
	t.Parallel()
	hex := "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	for topic, want := range map[string]bool{
		protocols.PresenceTopic:                             true,
		protocols.GroupTopic(hex):                           true,
		protocols.GroupTopic("secret"):                      false,
		protocols.GroupTopic(hex[1:]):                       false,
		protocols.GroupTopic("A" + hex[1:]):                 false,
		protocols.GroupTopic(hex) + "1":                     false,
		strings.TrimSuffix(protocols.GroupTopic(hex), "/1"): false,
		"":                                false,
		"/test" + protocols.PresenceTopic: false,
		protocols.PresenceTopic + "/x":    false,
	} {
		if got := topicsOf(protocols.Main).CanSubscribe(topic); got != want {
			t.Errorf("%s: %v", topic, got)
		}
	}
	if !topicsOf("test").CanSubscribe(protocols.Network("test").Protocol(protocols.PresenceTopic)) {
		t.Error("another network's topic")
	}
	if !topicsOf("test").CanSubscribe(protocols.Network("test").Protocol(protocols.GroupTopic(hex))) {
		t.Error("another network's group")
	}
}
