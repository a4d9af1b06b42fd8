package discovery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/presence"
)

// Limits of gossip.
const (
	maxGossip     = 16 << 10         // bytes of what neighbours send at once
	gossipBeat    = 10 * time.Second // presence is never urgent; an idle node sends nothing in between
	gossipSeen    = 5 * time.Minute  // as long a copy is known for one; later ones are known to be old
	gossipQueue   = 16               // frames that wait for one neighbour
	gossipTopics  = 64               // that a neighbour may say it follows
	validateQueue = 64               // records that wait to be verified
)

// newGossip starts gossipsub, tuned to be cheap and slow: a small mesh, a rare
// heartbeat, no exchange of peers, which would let any neighbour have this node
// dial whomever it names. Messages carry no signature of gossipsub's: what is
// said in them is signed itself.
func newGossip(ctx context.Context, h host.Host, n protocols.Network) (*pubsub.PubSub, error) {
	quiet := slog.New(slog.DiscardHandler)
	ps, err := pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubParams(gossipParams()),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(gossipID),
		pubsub.WithFloodPublish(false), pubsub.WithPeerExchange(false),
		pubsub.WithMaxMessageSize(maxGossip), pubsub.WithPeerOutboundQueueSize(gossipQueue),
		pubsub.WithSeenMessagesTTL(gossipSeen),
		pubsub.WithValidateQueueSize(validateQueue), pubsub.WithValidateWorkers(1),
		pubsub.WithSubscriptionFilter(pubsub.WrapLimitSubscriptionFilter(
			topicsOf(n), gossipTopics)),
		pubsub.WithLogger(quiet), pubsub.WithRPCLogger(quiet),
	)
	if err != nil {
		return nil, fmt.Errorf("start gossip: %w", err)
	}
	return ps, nil
}

// gossipID names a message by what is in it.
func gossipID(m *pubsubpb.Message) string {
	id := sha256.Sum256(m.GetData())
	return string(id[:20])
}

// topicsOf are the topics of a network. It is a filter of our own, for a regular
// expression for the same takes 14 kB.
func topicsOf(n protocols.Network) networkTopics { return networkTopics{n} }

type networkTopics struct{ network protocols.Network }

// CanSubscribe implements pubsub.SubscriptionFilter.
func (f networkTopics) CanSubscribe(topic string) bool {
	before, after, _ := strings.Cut(f.network.Protocol(protocols.GroupTopic("*")), "*")
	name, isGroup := strings.CutPrefix(topic, before)
	if !isGroup {
		return topic == f.network.Protocol(protocols.PresenceTopic)
	}
	name, versioned := strings.CutSuffix(name, after)
	return versioned && len(name) == 2*sha256.Size && strings.Trim(name, "0123456789abcdef") == ""
}

// FilterIncomingSubscriptions implements pubsub.SubscriptionFilter.
func (f networkTopics) FilterIncomingSubscriptions(_ peer.ID, subs []*pubsubpb.RPC_SubOpts) ([]*pubsubpb.RPC_SubOpts, error) {
	return pubsub.FilterSubscriptions(subs, f.CanSubscribe), nil
}

func gossipParams() pubsub.GossipSubParams {
	p := pubsub.DefaultGossipSubParams()
	p.D, p.Dlo, p.Dhi, p.Dout, p.Dscore, p.Dlazy = 4, 3, 6, 1, 2, 2
	p.GossipFactor = 0.1
	p.HeartbeatInterval = gossipBeat
	p.HistoryLength, p.HistoryGossip = 6, 3
	p.MaxIHaveLength = 500
	p.IWantFollowupTime = 2 * gossipBeat
	p.Connectors = 0 // nobody is dialled because a neighbour says so
	return p
}

// followPresence joins the presence topic, on which goes on what judge accepts.
func followPresence(self peer.ID, ps *pubsub.PubSub, n protocols.Network, judge func(from peer.ID, b []byte) verdict) (*pubsub.Topic, *pubsub.Subscription, error) {
	name := n.Protocol(protocols.PresenceTopic)
	err := ps.RegisterTopicValidator(name, func(_ context.Context, from peer.ID, m *pubsub.Message) pubsub.ValidationResult {
		if from == self {
			return pubsub.ValidationAccept
		}
		if len(m.Data) > presence.MaxSize {
			return pubsub.ValidationReject
		}
		return judge(from, m.Data).result()
	}, pubsub.WithValidatorInline(true))
	if err != nil {
		return nil, nil, fmt.Errorf("judge presences: %w", err)
	}
	topic, err := ps.Join(name)
	if err != nil {
		return nil, nil, fmt.Errorf("join the presence topic: %w", err)
	}
	sub, err := topic.Subscribe(pubsub.WithBufferSize(1))
	if err != nil {
		return nil, nil, fmt.Errorf("follow the presence topic: %w", err)
	}
	return topic, sub, nil
}

// result is what gossipsub makes of a verdict: only what is accepted goes on. A
// neighbour may pass on what is old or too much without any fault of its own.
func (v verdict) result() pubsub.ValidationResult {
	switch v {
	case accepted:
		return pubsub.ValidationAccept
	case forged:
		return pubsub.ValidationReject
	}
	return pubsub.ValidationIgnore
}
