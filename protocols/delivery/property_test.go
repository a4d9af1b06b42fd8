package delivery

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAnyScheduleOfFailuresIsClimbedOver lets rungs fail and come back at random.
// At the end some rung reaches bob: then everything is delivered, and whatever
// went before, no message was sent more often than its ladder allows.
func TestAnyScheduleOfFailuresIsClimbedOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.Uint64().Draw(t, "seed"))
		w.jitter = time.Duration(rapid.IntRange(0, 300).Draw(t, "jitter")) * time.Millisecond
		if rapid.Bool().Draw(t, "dials end") {
			w.dials = func() error { return errNobody }
		}
		kinds := rapid.SampledFrom([]relayKind{honest, refuser, mute, thief, packed, gone})
		for range rapid.IntRange(0, 4).Draw(t, "relays") {
			w.relay(kinds.Draw(t, "kind"), time.Duration(rapid.IntRange(1, 400).Draw(t, "delay"))*time.Millisecond)
		}
		start := w.now
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			disturb(t, w, kinds)
			w.run(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
		}
		bound := 12 + 3*int(w.now.Sub(start)/time.Second)
		mend(t, w)
		w.run(15 * time.Minute)
		w.wantDelivered(w.now, 0)
		for id, n := range w.copiesOf {
			if n > bound+20 {
				t.Errorf("%x was sent %d times, bound %d", id[:4], n, bound+20)
			}
		}
		w.wantNothingLeft()
	})
}

// disturb does one thing that may happen.
func disturb(t *rapid.T, w *world, kinds *rapid.Generator[relayKind]) {
	switch rapid.IntRange(0, 8).Draw(t, "event") {
	case 0, 1, 2:
		for range rapid.IntRange(1, 40).Draw(t, "burst") {
			w.send()
		}
	case 3:
		w.connect(Path{Relayed: rapid.Bool().Draw(t, "relayed")})
	case 4:
		w.down()
	case 5:
		w.dead = w.up
	case 6:
		for _, route := range w.routes {
			w.relays[route[0]].kind = kinds.Draw(t, "kind")
		}
	case 7:
		w.m.LineLost(w.now, bob)
		w.act()
	case 8:
		w.unheard = !w.unheard
	}
}

// mend leaves bob one path at least.
func mend(t *rapid.T, w *world) {
	w.unheard = false
	if len(w.relays) > 0 && rapid.Bool().Draw(t, "over a relay") {
		w.down()
		w.relays[w.routes[rapid.IntRange(0, len(w.routes)-1).Draw(t, "which")][0]].kind = honest
		return
	}
	w.down()
	w.connect(Path{})
}
