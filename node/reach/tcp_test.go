package reach

import (
	"testing"
	"time"
)

func TestWhichConnectionIsExchangedForTCP(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	old := now.Add(-time.Minute)
	for name, c := range map[string]struct {
		conns []outbound
		want  string
		ripe  time.Duration
	}{
		"none":                      {nil, "", 0},
		"the only one stays":        {[]outbound{{peer: "a", opened: old, offers: true}}, "", 0},
		"one goes by TCP already":   {[]outbound{{peer: "a", opened: old, offers: true}, {peer: "b", opened: old, tcp: true}}, "", 0},
		"young ones are waited for": {[]outbound{{peer: "a", opened: now.Add(-tcpWait / 2), offers: true}, {peer: "b", opened: now, offers: true}}, "", tcpWait / 2},
		"not for each further one":  {[]outbound{{peer: "a", opened: old}, {peer: "b", opened: now, offers: true}}, "b", 0},
		"one that listens on TCP":   {[]outbound{{peer: "a", opened: old}, {peer: "b", opened: old, offers: true}}, "b", 0},
		"nobody listens on TCP":     {[]outbound{{peer: "a", opened: old}, {peer: "b", opened: old}}, "", 0},
		"never one through a hole":  {[]outbound{{peer: "friend", opened: old, offers: true}, {peer: "b", opened: old}}, "", 0},
		"nor one that carries":      {[]outbound{{peer: "a", opened: old, offers: true, busy: true}, {peer: "b", opened: old}}, "", 0},
		"relays in use last":        {[]outbound{{peer: "a", opened: old, offers: true, relay: true}, {peer: "b", opened: old, offers: true}}, "b", 0},
		"or one of them":            {[]outbound{{peer: "a", opened: old, offers: true, relay: true}, {peer: "b", opened: old, offers: true, relay: true}}, "a", 0},
	} {
		for i := range c.conns {
			c.conns[i].open = c.conns[i].peer != "friend"
		}
		pick, ripe := exchangeable(now, c.conns)
		if (pick == nil) != (c.want == "") || pick != nil && string(pick.peer) != c.want {
			t.Errorf("%s: picks %+v, want %q", name, pick, c.want)
		}
		if (c.ripe == 0) != ripe.IsZero() || c.ripe != 0 && ripe.Sub(now) != c.ripe {
			t.Errorf("%s: ripe at %v, want in %v", name, ripe, c.ripe)
		}
	}
}

func TestTCPIsSoughtEverMoreRarely(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var search tcpSearch
	search.idle(now, now.Add(tcpWait))
	if search.next != now.Add(tcpWait) || search.pause != 0 {
		t.Errorf("not when there may be something: %+v", search)
	}
	looks := 0
	for end := now.Add(time.Hour); now.Before(end); now = search.next {
		search.idle(now, time.Time{})
		looks++
	}
	if looks < 12 || looks > 25 {
		t.Errorf("%d looks in an hour", looks)
	}
}

func TestOneOfThoseDialledFirstIsDialledByTCP(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var search tcpSearch
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{
		{0, false}, {0, true}, {0, false}, {tcpWait - 1, false}, // one is enough
		{1, false}, {tcpWait, false}, {tcpWait / 2, true}, // nobody was there: once more
	} {
		now = now.Add(c.after)
		if got := search.second(now); got != c.want {
			t.Errorf("%v after the first: %v", now.Sub(time.Unix(1000, 0)), got)
		}
	}
}
