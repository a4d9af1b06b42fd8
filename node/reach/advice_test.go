package reach

import (
	"strings"
	"testing"
)

func TestAdvice(t *testing.T) {
	t.Parallel()
	home := Facts{Vouched: Auto, Judged: true, Online: true, Peers: 5, Publics: 3, UDP: true, TCP: true, NAT: MappingIndependent, PortMap: true, Relays: 2, Wanted: 2}
	with := func(f func(*Facts)) Facts {
		c := home
		f(&c)
		return c
	}
	for name, c := range map[string]struct {
		facts Facts
		want  []string // a word of each piece, in order
	}{
		"all well":               {with(func(f *Facts) { f.Public = true }), nil},
		"vouched, not confirmed": {with(func(f *Facts) { f.Public, f.Vouched, f.Judged = true, Public, false }), []string{"vouch"}},
		"vouched and confirmed":  {with(func(f *Facts) { f.Public, f.Vouched = true, Public }), nil},
		"local":                  {Facts{Local: true}, []string{"--local"}},
		"no network":             {Facts{}, []string{"no network"}},
		"nobody":                 {Facts{Online: true}, []string{"--bootstrap"}},
		"home":                   {home, []string{"UPnP"}},
		"home, nobody asked":     {with(func(f *Facts) { f.PortMap = false }), []string{"--no-portmap"}},
		"home, mapped in vain":   {with(func(f *Facts) { f.PortMapped, f.NAT = true, MappingDependent }), []string{"behind another router"}},
		"symmetric":              {with(func(f *Facts) { f.NAT = MappingDependent }), []string{"symmetric"}},
		"full cone, perhaps":     {with(func(f *Facts) { f.Doubted = true }), []string{"--reachability public"}},
		"UDP blocked":            {with(func(f *Facts) { f.UDP = false }), []string{"UDP does not", "UPnP"}},
		"no relay":               {with(func(f *Facts) { f.Relays = 0 }), []string{"no relay", "UPnP"}},
		"one relay":              {with(func(f *Facts) { f.Relays = 1 }), []string{"only 1 of 2", "UPnP"}},
		"LAN only":               {with(func(f *Facts) { f.Publics, f.UDP, f.TCP, f.Judged, f.Relays = 0, false, false, false, 0 }), []string{"own network"}},
		"not judged yet":         {with(func(f *Facts) { f.Judged = false }), []string{"not enough peers"}},
		"vouched private":        {with(func(f *Facts) { f.Vouched = Private }), []string{"serves nobody"}},
	} {
		got := Advise(c.facts)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d pieces of advice, want %d: %+v", name, len(got), len(c.want), got)
			continue
		}
		for i, a := range got {
			if !strings.Contains(a.Limit+a.Do, c.want[i]) {
				t.Errorf("%s: %+v, want something about %q", name, a, c.want[i])
			}
		}
	}
}
