package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tom-protocol/tom/protocols"
)

// gathering is a group of some size, and what else might carry its messages, in
// one run.
type gathering struct {
	Members int     `json:"members"`
	Plain   carried `json:"plain"`
	Tom     carried `json:"tom"`
	Gossip  carried `json:"gossip"`
	JoinMS  float64 `json:"join_ms"`  // until all have joined
	NodeMB  float64 `json:"node_mb"`  // resident, of a member in memory, connected to the hub alone
	Limit   float64 `json:"verified"` // deliveries a second if each were one verification and nothing else
	Authors int     `json:"authors"`  // who write singly

	Keys      float64 `json:"keys_per_second"` // given, all writing for the first time at once
	KeyMicros float64 `json:"key_cpu_us"`      // of all processes
}

// carried is what one of them did. Of an author's message every other member is a
// delivery.
type carried struct {
	Burst         float64 `json:"burst_per_second"`             // deliveries, one author
	Chatter       float64 `json:"chatter_per_second,omitempty"` // deliveries, all write singly
	ChatterMicros float64 `json:"chatter_cpu_us,omitempty"`     // a delivery of these, of all processes
	HubMicros     float64 `json:"hub_cpu_us,omitempty"`         // a delivery of the burst
	AllMicros     float64 `json:"all_cpu_us,omitempty"`         // the same, of all processes
	AllMS         float64 `json:"all_ms"`                       // of one message, until all have acknowledged it
	Lost          float64 `json:"lost,omitempty"`               // share of the deliveries
}

const (
	realMembers = 10  // that are processes of their own
	groupWindow = 512 // messages of an author that are not accepted
	groupOnes   = 30  // messages sent one at a time
)

// keysGiven is how many keys those who write singly give before: each gives one to
// each, and of a thousand members not all could in minutes.
const keysGiven = 40_000

// amounts is how many messages are sent in a group of n, and how many of those in
// one process write singly.
func amounts(n int) (burst, chatter, authors int) {
	return max(100, min(4000, 100_000/n)), max(2, 500/n), min(n-1, keysGiven/n)
}

func (b *bench) groups() error {
	for _, text := range strings.Split(b.members, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 3 || n > 1024 {
			return fmt.Errorf("%q is no number of members", text)
		}
		g := gathering{Members: n, Limit: verifications()}
		for _, m := range []struct {
			name string
			run  func(*gathering) error
		}{{"plain streams", b.fan}, {"ToM", b.gathered}, {"gossipsub", b.gossiped}} {
			fmt.Fprintf(os.Stderr, "  %d members, %s\n", n, m.name)
			if err := m.run(&g); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
		b.report.Groups = append(b.report.Groups, g)
	}
	return nil
}

// verifications is how many signatures all processors of this machine verify in a
// second.
func verifications() float64 {
	public, private, _ := ed25519.GenerateKey(nil)
	msg := make([]byte, bodySize)
	sig := ed25519.Sign(private, protocols.Main.SigningBytes(nil, protocols.TagGroupRecord, msg))
	const n = 2000
	begin := time.Now()
	for range n {
		protocols.Main.Verify(protocols.Key(public), protocols.TagGroupRecord, msg, sig)
	}
	return n / time.Since(begin).Seconds() * float64(runtime.NumCPU())
}

// sides are processes that are stopped together.
type sides []*process

func (s *sides) open(role string, o order) (*process, answer, error) {
	p, err := startSide(role)
	if err != nil {
		return nil, answer{}, err
	}
	*s = append(*s, p)
	o.Do = "open"
	a, err := p.callWithin(groupPatience, o)
	return p, a, err
}

// usage is what they have used together so far.
func (s sides) usage() (sum usage, err error) {
	for _, p := range s {
		a, err := p.call(order{Do: "usage"})
		if err != nil {
			return sum, err
		}
		sum = sum.plus(a.Usage)
	}
	return sum, nil
}

func (s *sides) stop() error {
	errs := make([]error, len(*s))
	var ending sync.WaitGroup
	for i, p := range *s {
		ending.Go(func() { errs[i] = p.stop() })
	}
	ending.Wait()
	return errors.Join(errs...)
}

// housed is how many members the processes have of a group of n, without the hub's:
// the author is alone in the first.
func housed(n int) []int {
	alone := slices.Repeat([]int{1}, min(realMembers, n)-1)
	if rest := n - 1 - len(alone); rest > 0 {
		return append(alone, rest)
	}
	return alone
}

// fan measures plain streams, to members in the same processes as those of ToM: from
// each of them acknowledgements come in packets of their own, which costs the hub most.
func (b *bench) fan(g *gathering) (err error) {
	var all sides
	defer func() { err = errors.Join(err, all.stop()) }()
	hub, a, err := all.open("fan-hub", order{})
	if err != nil {
		return err
	}
	for _, n := range housed(g.Members)[1:] {
		if _, _, err = all.open("fan-members", order{Address: a.Address, N: n}); err != nil {
			return err
		}
	}
	author, _, err := all.open("fan-author", order{Address: a.Address})
	if err != nil {
		return err
	}
	g.Plain, err = b.measureGroup(g.Members, all, hub, author)
	return err
}

// measureGroup has one author write: one message at a time, and in a burst.
func (b *bench) measureGroup(n int, all sides, hub, author *process) (c carried, err error) {
	a, err := author.callWithin(groupPatience, order{Do: "singles", N: groupOnes})
	if err != nil {
		return c, err
	}
	c.AllMS = outcome{latency: a.Each}.percentile(50) / 1000
	messages, _, _ := amounts(n)
	if _, err = author.callWithin(groupPatience, order{Do: "burst", N: messages / 10, Window: groupWindow}); err != nil {
		return c, err
	}
	before, err := hub.call(order{Do: "usage"})
	if err != nil {
		return c, err
	}
	sumBefore, err := all.usage()
	if err != nil {
		return c, err
	}
	if a, err = author.callWithin(groupPatience, order{Do: "burst", N: messages, Window: groupWindow}); err != nil {
		return c, err
	}
	after, err := hub.call(order{Do: "usage"})
	if err != nil {
		return c, err
	}
	sum, err := all.usage()
	if err != nil {
		return c, err
	}
	deliveries := float64(messages * (n - 1))
	c.AllMicros = micros(sum.minus(sumBefore).CPU) / deliveries
	c.Burst, c.HubMicros = deliveries/a.Took.Seconds(), micros(after.Usage.minus(before.Usage).CPU)/deliveries
	return c, nil
}

// gossiped measures gossipsub, in which as many write singly as in ToM before.
func (b *bench) gossiped(g *gathering) (err error) {
	var all sides
	defer func() { err = errors.Join(err, all.stop()) }()
	p, _, err := all.open("gossip", order{N: g.Members})
	if err != nil {
		return err
	}
	a, _, err := rested(all, p, order{Do: "singles", N: groupOnes})
	if err != nil {
		return err
	}
	g.Gossip.AllMS = outcome{latency: a.Each}.percentile(50) / 1000
	_, each, _ := amounts(g.Members)
	a, cpu, err := rested(all, p, order{Do: "chatter", N: each, Authors: g.Authors})
	if err != nil {
		return err
	}
	g.Gossip.Chatter, g.Gossip.ChatterMicros = float64(a.Came)/a.Took.Seconds(), cpu
	others := float64(g.Members - 1)
	const writers = 16 // more, and some of the messages are lost
	messages := max(writers, 20_000/g.Members/writers*writers)
	if a, g.Gossip.AllMicros, err = rested(all, p, order{Do: "burst", N: messages, Window: writers}); err != nil {
		return err
	}
	g.Gossip.Burst, g.Gossip.Lost = float64(a.Came)/a.Took.Seconds(), 1-float64(a.Came)/(float64(messages)*others)
	return nil
}

// rested has gossipsub do something when nothing comes any more of what it did before,
// and returns the microseconds of CPU that each delivery took of all processes.
func rested(all sides, p *process, o order) (a answer, cpu float64, err error) {
	if _, err = p.callWithin(groupPatience, order{Do: "rest"}); err != nil {
		return a, 0, err
	}
	before, err := all.usage()
	if err != nil {
		return a, 0, err
	}
	if a, err = p.callWithin(groupPatience, o); err != nil {
		return a, 0, err
	}
	after, err := all.usage()
	return a, micros(after.minus(before).CPU) / float64(max(a.Came, 1)), err
}

// gathered measures a group of ToM.
func (b *bench) gathered(g *gathering) (err error) {
	dir, err := os.MkdirTemp(b.dir, "group-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var all sides
	defer func() { err = errors.Join(err, all.stop()) }()
	hub, there, err := all.open("tom-hub", order{Dir: filepath.Join(dir, "hub"), N: g.Members})
	if err != nil {
		return err
	}
	members, err := b.gather(&all, g, dir, there)
	if err != nil {
		return err
	}
	author := members[0]
	if _, err := author.callWithin(groupPatience, order{Do: "singles", N: 1}); err != nil { // gives all its key
		return err
	}
	looked := map[string]*process{"hub": hub, "author": author, "members": members[len(members)-1]}
	err = b.profiled(looked, g, "", func() error {
		g.Tom, err = b.measureGroup(g.Members, all, hub, author)
		return err
	})
	if err != nil {
		return err
	}
	_, each, authors := amounts(g.Members)
	if err := b.profiled(looked, g, "-keys", func() error { return b.introduce(g, all, members, authors) }); err != nil {
		return err
	}
	g.Authors = min(g.Members-1, len(members)-1+authors)
	return b.profiled(looked, g, "-chatter", func() error { return b.chatter(g, all, hub, members, each, authors) })
}

// introduce has those who write singly give their keys: the author has given its own.
func (b *bench) introduce(g *gathering, all sides, members []*process, authors int) error {
	before, err := all.usage()
	if err != nil {
		return err
	}
	took, err := together(members, order{Do: "introduce", Authors: authors})
	if err != nil {
		return err
	}
	after, err := all.usage()
	given := float64((len(members) - 2 + authors) * (g.Members - 1))
	g.Keys, g.KeyMicros = given/took.Seconds(), micros(after.minus(before).CPU)/given
	return err
}

// profiled keeps the profiles of some processes while they do something, if they
// are wanted.
func (b *bench) profiled(of map[string]*process, g *gathering, what string, do func() error) error {
	if b.profiles == "" {
		return do()
	}
	for name, p := range of {
		if _, err := p.call(order{Do: "profile", File: filepath.Join(b.profiles, fmt.Sprintf("group%d%s-%s.pprof", g.Members, what, name))}); err != nil {
			return err
		}
	}
	err := do()
	for _, p := range of {
		_, ended := p.call(order{Do: "profiled"})
		err = errors.Join(err, ended)
	}
	return err
}

// gather starts the members: the author and some more as processes on disk, the
// others in one process in memory. The hub counts as one of the processes.
func (b *bench) gather(all *sides, g *gathering, dir string, hub answer) (members []*process, err error) {
	for i, n := range housed(g.Members) {
		o := order{Address: hub.Address, N: n, Name: fmt.Sprint("p", i, "-")}
		if i < realMembers-1 {
			o.Dir = filepath.Join(dir, strconv.Itoa(i))
		}
		p, _, err := all.open("tom-members", o)
		if err != nil {
			return nil, err
		}
		members = append(members, p)
	}
	begin := time.Now()
	for _, p := range members {
		if _, err := p.callWithin(groupPatience, order{Do: "join", Link: hub.Link}); err != nil {
			return nil, err
		}
	}
	_, err = together(members, order{Do: "have", Seq: uint64(g.Members - 1)})
	g.JoinMS = micros(time.Since(begin)) / 1000
	return members, err
}

// together gives some processes one order, and returns how long all took.
func together(list []*process, o order) (time.Duration, error) {
	errs := make([]error, len(list))
	var work sync.WaitGroup
	begin := time.Now()
	for i, p := range list {
		work.Go(func() { _, errs[i] = p.callWithin(groupPatience, o) })
	}
	work.Wait()
	return time.Since(begin), errors.Join(errs...)
}

// chatter has members write n messages each, one at a time, until all have all: those
// that are processes, and so many of the others as have given their keys. Each
// writes the next when its last is accepted: when hub and shadow have it on disk. In
// gossipsub nobody hears so much: there each waits until all have it, or as long as a
// message takes that is not lost; who waits for nothing loses most.
func (b *bench) chatter(g *gathering, all sides, hub *process, members []*process, n, authors int) error {
	sumBefore, err := all.usage()
	if err != nil {
		return err
	}
	before, err := hub.call(order{Do: "state"})
	if err != nil {
		return err
	}
	begin := time.Now()
	if _, err := together(members, order{Do: "chatter", N: n, Authors: authors}); err != nil {
		return err
	}
	after, err := hub.call(order{Do: "state"})
	if err != nil {
		return err
	}
	if _, err := together(members, order{Do: "have", Seq: after.Seq}); err != nil {
		return err
	}
	took := time.Since(begin)
	sum, err := all.usage()
	if err != nil {
		return err
	}
	deliveries := float64(after.Seq-before.Seq) * float64(g.Members-1)
	g.Tom.Chatter, g.Tom.ChatterMicros = deliveries/took.Seconds(), micros(sum.minus(sumBefore).CPU)/deliveries
	return nil
}

func (r report) printGroups(w io.Writer) {
	if len(r.Groups) == 0 {
		return
	}
	fmt.Fprintf(w, "\ngroups, %d-byte bodies: a hub on disk, up to %d members as processes on disk, the others in one process in memory (plain: the same processes, gossipsub: all in one)\n", bodySize, realMembers-1)
	fmt.Fprintln(w, "  members\tof\tone author, deliveries/s\thub CPU µs each\tall CPU µs each\tone message with all, ms\tall writing singly, deliveries/s\tall CPU µs each\tlost")
	for _, g := range r.Groups {
		for _, x := range []struct {
			name string
			carried
		}{{"plain streams, plain acknowledgements", g.Plain}, {"ToM", g.Tom}, {"gossipsub, signed, in clear", g.Gossip}} {
			fmt.Fprintf(w, "  %d\t%s\t%.0f\t%s\t%s\t%.1f\t%s\t%s\t%.1f %%\n", g.Members, x.name, x.Burst, ifAny1(x.HubMicros), ifAny1(x.AllMicros), x.AllMS, ifAny(x.Chatter), ifAny1(x.ChatterMicros), 100*x.Lost)
		}
		fmt.Fprintf(w, "  %d\tone verification a delivery, nothing else\t%.0f\n", g.Members, g.Limit)
		if g.Authors < g.Members-1 {
			fmt.Fprintf(w, "  %d\tof whom write singly\t%d\n", g.Members, g.Authors)
		}
		fmt.Fprintf(w, "  %d\tkeys given a second, when all of these write for the first time\t%.0f\t\t%.0f\n", g.Members, g.Keys, g.KeyMicros)
		fmt.Fprintf(w, "  %d\tall joined by one link after\t%.0f ms\n", g.Members, g.JoinMS)
	}
}

// ifAny1 leaves out what was not measured.
func ifAny1(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", v)
}
