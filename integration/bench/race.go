package main

import (
	"fmt"
	"time"
)

const (
	bodySize = 256 // bytes
	window   = 256 // messages not yet acknowledged
)

// load is how much of what a race is.
type load struct{ messages, singles int }

// warmUp is how many messages are sent before the clock starts, so that
// connections, caches and code are warm.
func (l load) warmUp() int { return max(l.messages/10, 1) }

// loadOf gives slow systems less to do: a second or two suffices.
func (b *bench) loadOf(system string) load {
	if system == "jetstream-sync" {
		return load{max(b.n/10, 1), 200}
	}
	return load{b.n, 1000}
}

// race measures a system on loopback.
func (b *bench) race(system string) error {
	l := b.loadOf(system)
	var outs []outcome
	for range b.runs {
		o, err := raceOnce(system, b.dir, l, nil)
		if err != nil {
			return err
		}
		outs = append(outs, o)
	}
	b.report.Systems[system] = medianOf(outs, l.messages)
	return nil
}

// lossy measures ToM and plain frames over a path with delay and loss.
func (b *bench) lossy() error {
	for _, system := range []string{"plain", "tom"} {
		l := load{messages: max(b.n/20, 1)}
		var outs []outcome
		for range b.runs {
			o, err := b.lossyOnce(system, l)
			if err != nil {
				return err
			}
			outs = append(outs, o)
		}
		b.report.Lossy[system] = medianOf(outs, l.messages)
	}
	return nil
}

func (b *bench) lossyOnce(system string, l load) (outcome, error) {
	var w *wire
	o, err := raceOnce(system, b.dir, l, func(address string) (through string, err error) {
		w, through, err = openWire(address, pathDelay, pathLoss)
		return through, err
	})
	if w == nil {
		return o, err
	}
	w.close()
	o.carried = w.carried.Load() / int64(l.messages+l.warmUp())
	if err == nil && o.carried < bodySize {
		err = fmt.Errorf("%s went past the lossy path", system)
	}
	return o, err
}

// outcome is one run of a race.
type outcome struct {
	took    time.Duration
	used    usage // by both sides
	latency []time.Duration
	carried int64 // bytes of datagrams a message, both ways; over a lossy path only
}

func raceOnce(system, dir string, l load, through func(string) (string, error)) (o outcome, err error) {
	p, err := openPair(system, dir, through)
	if err != nil {
		return o, err
	}
	defer func() {
		if e := p.close(); err == nil {
			err = e
		}
	}()
	if _, err = p.sending.call(order{Do: "burst", N: l.warmUp(), Window: window}); err != nil {
		return o, err
	}
	if l.singles > 0 {
		a, err := p.sending.call(order{Do: "singles", N: l.singles})
		if err != nil {
			return o, err
		}
		o.latency = a.Each
	}
	o.took, o.used, err = p.measure(l.messages)
	return o, err
}

// measure is one burst and what it used on both sides.
func (p *pair) measure(n int) (time.Duration, usage, error) {
	before, err := p.usage()
	if err != nil {
		return 0, usage{}, err
	}
	a, err := p.sending.call(order{Do: "burst", N: n, Window: window})
	if err != nil {
		return 0, usage{}, err
	}
	after, err := p.usage()
	return a.Took, after.minus(before), err
}

// oneByOne sends n messages at a window of one.
func oneByOne(s sender, n int) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	for i := range took {
		var err error
		if took[i], err = s.burst(1, 1); err != nil {
			return nil, err
		}
	}
	return took, nil
}
