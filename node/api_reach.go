package node

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tom-protocol/tom/node/discovery"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
	"github.com/tom-protocol/tom/node/reach"
)

// searchTime is how long the sources of discovery may take to answer.
const searchTime = 10 * time.Second

func (a api) Find(ctx context.Context, name string) ([]localapi.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	_, answers, err := a.n.Find(ctx, name)
	if err != nil {
		return nil, apiError(err, name)
	}
	var all []localapi.Found
	for answer := range answers {
		all = append(all, apiFound(answer))
	}
	return all, nil
}

func apiFound(answer Answer) localapi.Found {
	f := localapi.Found{Source: answer.Source, Addrs: texts(answer.Addrs), TookMS: inMilliseconds(answer.Took)}
	switch {
	case errors.Is(answer.Err, context.DeadlineExceeded):
		f.Error = "no answer in time"
	case answer.Err != nil && !errors.Is(answer.Err, discovery.ErrNotFound):
		f.Error = answer.Err.Error()
	}
	return f
}

func inMilliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (a api) Measured(_ context.Context, name string) (localapi.Measured, error) {
	p, err := a.n.Resolve(name)
	if err != nil {
		return localapi.Measured{}, apiError(err, name)
	}
	why := a.n.relay.Why(p)
	m := localapi.Measured{
		ID: peerID(p), Name: a.n.NameOf(p), Connected: a.n.links.Connected(p), Known: why.Known,
		Success: why.SuccessRate(), LatencyMS: inMilliseconds(why.Latency),
		Used: localapi.At(why.Used), Weight: why.Weight,
	}
	for _, t := range why.Terms {
		m.Terms = append(m.Terms, localapi.Term{What: t.Name, Count: t.Count, Factor: t.Factor})
	}
	return m, nil
}

func (a api) Relays(context.Context) ([]localapi.Relay, error) {
	reserved := a.n.reach.Relays()
	var all []localapi.Relay
	for i, r := range a.n.Relays() {
		all = append(all, localapi.Relay{
			ID: peerID(r.Peer), Name: a.n.NameOf(r.Peer), Rank: i + 1, Connected: r.Connected,
			Reserved: slices.Contains(reserved, identity.PeerIDOf(r.Peer)), Dropped: r.Dropped,
			Success: r.Record.SuccessRate(), LatencyMS: inMilliseconds(cmp.Or(r.Record.Latency, r.RTT)),
			Load: float64(r.Load) / 255, Why: strings.Join(r.Reasons, ", "),
		})
	}
	return all, nil
}

func (a api) Doctor(context.Context) (localapi.Doctor, error) {
	r := a.n.reach.Report()
	offset, _ := a.n.clock.Offset()
	d := localapi.Doctor{
		Reachability: r.Reachability, UDP: apiNAT(r.UDP), TCP: apiNAT(r.TCP),
		Ways: []localapi.Way{
			{Transport: "udp", IP: 4, State: string(r.UDP4)},
			{Transport: "udp", IP: 6, State: string(r.UDP6)},
			{Transport: "tcp", IP: 4, State: string(r.TCP4)},
			{Transport: "tcp", IP: 6, State: string(r.TCP6)},
		},
		PortMappings: texts(r.Mapped), Serving: r.Serving, ClockOffsetMS: offset.Milliseconds(),
	}
	for _, ip := range r.Outside {
		d.Outside = append(d.Outside, ip.String())
	}
	for _, id := range r.Relays {
		d.Relays = append(d.Relays, id.String())
	}
	if a.n.weather != nil {
		d.Findings = append(d.Findings, localapi.Finding{Problem: a.n.chaosNotice(), Advice: "start it without --chaos to have it as it is"})
	}
	for _, f := range r.Advice {
		d.Findings = append(d.Findings, localapi.Finding{Problem: f.Limit, Advice: f.Do})
	}
	return d, nil
}

func apiNAT(n reach.NAT) localapi.NAT {
	return localapi.NAT{Mapping: string(n.Mapping), Filtering: string(n.Filtering)}
}
