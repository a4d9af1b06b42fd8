package identity

import (
	"strings"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
)

const (
	alice  = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
	relay  = "12D3KooWL3XJ9EMCyZvmmGXL2LMiVBtrVa2BuESsJiXkSj7333Jw"
	public = "/ip4/203.0.114.7/udp/4001/quic-v1"
	lan    = "/ip4/192.168.1.7/udp/4001/quic-v1"
)

func addrs(t testing.TB, texts ...string) (out []ma.Multiaddr) {
	t.Helper()
	for _, s := range texts {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

func parse(t testing.TB, s string) Link {
	t.Helper()
	l, err := ParseLink(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLinkReadsAsItIsWritten(t *testing.T) {
	t.Parallel()
	l := parse(t, "tom:peer/"+alice)
	l.Addrs = addrs(t, "/ip6/::1/tcp/4001", public+"/p2p/"+relay+"/p2p-circuit", lan, public)
	l.Name = "Alice & Bob?"
	want := "tom:peer/" + alice + "?a=" + public + "&a=" + lan +
		"&a=" + public + "/p2p/" + relay + "/p2p-circuit&a=/ip6/::1/tcp/4001&n=Alice+%26+Bob%3F"
	if got := l.String(); got != want {
		t.Fatalf("wrote %s\nwant  %s", got, want)
	}
	back := parse(t, want)
	if back.String() != want || back.Name != l.Name || back.Peer != l.Peer || len(back.Addrs) != 4 {
		t.Errorf("read %+v", back)
	}
}

func TestLinkNamesEightAddressesOfEveryClass(t *testing.T) {
	t.Parallel()
	var many []string
	for _, port := range strings.Split("1 2 3 4 5 6 7 8 9", " ") {
		many = append(many, "/ip6/2a00:1450::1/udp/"+port+"/quic-v1")
	}
	many = append(many, lan, lan, public+"/p2p/"+relay+"/p2p-circuit")
	got := SelectAddrs(addrs(t, many...))
	if len(got) != MaxLinkAddrs {
		t.Fatalf("%d addresses", len(got))
	}
	for i, want := range append(many[:6:6], lan, many[11]) {
		if got[i].String() != want {
			t.Errorf("address %d is %v, want %s", i, got[i], want)
		}
	}
}

func TestWhatMeansNothingOnAnotherMachine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		public: false, lan: false, public + "/p2p/" + relay + "/p2p-circuit": false, "/dns4/a.example/udp/1/quic-v1": false,
		"/ip4/127.0.0.2/tcp/1": true, "/ip6/::1/udp/1/quic-v1": true, "/ip4/0.0.0.0/tcp/1": true, "/ip6/fe80::1/tcp/1": true,
		"/ip4/127.0.0.1/tcp/1/p2p/" + relay + "/p2p-circuit": true,
	} {
		if got := HereOnly(addrs(t, text)[0]); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestLinkParts(t *testing.T) {
	t.Parallel()
	prefix := "tom:peer/" + alice
	cases := []struct{ name, link, addrs, wantName, fails string }{
		{name: "bare", link: prefix},
		{name: "own peer part taken off", link: prefix + "?a=" + lan + "/p2p/" + alice, addrs: lan},
		{name: "only a peer part", link: prefix + "?a=/p2p/" + alice},
		{name: "another peer's address", link: prefix + "?a=" + lan + "/p2p/" + relay, fails: "another peer"},
		{name: "unknown transport beside a known", link: prefix + "?a=/ip4/1.2.3.4/warp/9&a=" + lan, addrs: lan},
		{name: "unknown transport only", link: prefix + "?a=/ip4/1.2.3.4/warp/9", fails: "none of its addresses"},
		{name: "unknown parameter", link: prefix + "?z=1&n=x", wantName: "x"},
		{name: "name with escape codes", link: prefix + "?n=%1b%5b31mred%e2%80%ae%ff", wantName: "[31mred"},
		{name: "long name", link: prefix + "?n=" + strings.Repeat("%c3%a4", 40), wantName: strings.Repeat("ä", 32)},
		{name: "no peer", link: "tom:peer/", fails: "no peer id"},
		{name: "other scheme", link: "https://example.org", fails: "begins with"},
		{name: "broken escape", link: prefix + "?n=%zz", fails: "escape"},
		{name: "endless", link: prefix + "?n=" + strings.Repeat("x", maxLink), fails: "at most"},
	}
	for _, c := range cases {
		l, err := ParseLink(c.link)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v; want %q", c.name, err, c.fails)
			}
			continue
		}
		var got []string
		for _, a := range l.Addrs {
			got = append(got, a.String())
		}
		if err != nil || strings.Join(got, " ") != c.addrs || l.Name != c.wantName {
			t.Errorf("%s: %v %q %v", c.name, got, l.Name, err)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add("tom:peer/" + alice + "?a=" + lan + "&a=" + public + "/p2p/" + relay + "/p2p-circuit&n=Alice")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLink(s)
		if err != nil {
			return
		}
		again, err := ParseLink(l.String())
		if err != nil || again.String() != l.String() || len(again.Addrs) > MaxLinkAddrs || len(again.Name) > maxName {
			t.Errorf("%q reads as %q, then %q, %v", s, l, again, err)
		}
	})
}
