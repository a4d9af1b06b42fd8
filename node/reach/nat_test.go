package reach_test

import (
	"testing"
	"time"

	"github.com/tom-protocol/tom/node/reach"
)

func TestReservationStandsAtOnce(t *testing.T) {
	onInternet(t, func(t *testing.T, in *internet) {
		relays := in.publics(2)
		time.Sleep(time.Second)
		m := in.place("10.1.0.2", in.newRouter("2.0.0.1"), reach.Config{Relays: known(relays)})
		begun := time.Now()
		m.circuits(2 * time.Second)
		// a handshake, identify, and the reservation itself: five round trips
		if took := time.Since(begun); took > 11*hop {
			t.Errorf("reserved after %v", took)
		}
	})
}

func TestPathsBetweenNATs(t *testing.T) {
	type side struct{ public, symmetric, full bool }
	var (
		open = side{public: true}
		cone = side{}
		full = side{full: true}
		sym  = side{symmetric: true}
	)
	for name, c := range map[string]struct {
		from, to side
		direct   time.Duration // at most; zero: stays relayed
	}{
		"cone to cone":           {cone, cone, 600 * time.Millisecond},
		"open to cone":           {open, cone, 600 * time.Millisecond},
		"full cone to symmetric": {full, sym, 600 * time.Millisecond},
		"cone to symmetric":      {cone, sym, 0},
		"symmetric to symmetric": {sym, sym, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onInternet(t, func(t *testing.T, in *internet) {
				relays := in.publics(2)
				time.Sleep(time.Second)
				machine := func(s side, ip, outside string) *machine {
					if s.public {
						return in.place(outside, nil, reach.Config{Relays: known(relays)})
					}
					r := in.newRouter(outside)
					r.symmetric, r.full = s.symmetric, s.full
					return in.place(ip, r, reach.Config{Relays: known(relays)})
				}
				a, b := machine(c.from, "10.1.0.2", "2.0.0.1"), machine(c.to, "10.2.0.2", "2.0.0.2")
				b.circuits(time.Second)
				time.Sleep(2 * time.Second)
				begun := time.Now()
				a.dial(b)
				if took := time.Since(begun); took > 600*time.Millisecond {
					t.Errorf("connected after %v", took)
				}
				took := a.direct(b, 20*time.Second)
				switch {
				case c.direct == 0 && took != 0:
					t.Errorf("direct after %v: this NAT is none", took)
				case c.direct != 0 && (took == 0 || took > c.direct):
					t.Errorf("direct after %v, want at most %v", took, c.direct)
				}
				t.Logf("connected and direct after %v", took)
			})
		})
	}
}
