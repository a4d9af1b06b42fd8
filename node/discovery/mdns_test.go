package discovery

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"golang.org/x/net/dns/dnsmessage"
	"pgregory.net/rapid"
)

func TestZoneAsksAndAnswers(t *testing.T) {
	t.Parallel()
	bob := somebody(t)
	at := "/ip4/192.168.1.7/udp/20007/quic-v1/p2p/" + bob.ID.String()
	here, there := newZone("_tom._udp", "here"), newZone("_tom._udp", "there")
	if asked, peers := there.read(here.query()); !asked || len(peers) != 0 {
		t.Errorf("question read as %v, %v", asked, peers)
	}
	asked, peers := here.read(there.answer([]string{at, "/ip4/192.168.1.7/tcp/20007/p2p/" + bob.ID.String()}))
	if asked || len(peers) != 1 || peers[0].ID != bob.ID || len(peers[0].Addrs) != 2 {
		t.Errorf("answer read as %v, %v", asked, peers)
	}
	other := newZone("_test-tom._udp", "other")
	if asked, _ := other.read(here.query()); asked {
		t.Error("another network's question was heard")
	}
	if _, peers := other.read(there.answer([]string{at})); len(peers) != 0 {
		t.Error("another network's node was heard")
	}
}

func TestZoneAnswersInOnePacket(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("/ip4/10.0.0.%d/tcp/1/p2p/%s", i, somebody(t).ID))
	}
	many = append(many, strings.Repeat("x", 300))
	if n := len(newZone("_tom._udp", randomLabel()).answer(many)); n > 1400 {
		t.Errorf("an answer of %d bytes", n)
	}
	if newZone("_tom._udp", "x").answer(nil) != nil {
		t.Error("nothing to tell is told")
	}
}

func TestZoneReadsWhatOthersPutElsewhere(t *testing.T) {
	t.Parallel()
	bob := somebody(t)
	z := newZone("_tom._udp", "here")
	txt := dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: name("a." + strings.ToUpper(z.service)), Class: dnsmessage.ClassINET},
		Body: &dnsmessage.TXTResource{TXT: []string{
			"", "txtvers=1", "dnsaddr=", "dnsaddr=/ip4/1.2.3.4/tcp/5", "dnsaddr=/p2p/" + bob.ID.String(),
			"dnsaddr=/ip4/1.2.3.4/tcp/5/p2p/" + bob.ID.String(),
		}},
	}
	other := txt
	other.Header.Name = name("printer._ipp._tcp.local.")
	_, peers := z.read(pack(dnsmessage.Message{
		Header:    dnsmessage.Header{Response: true},
		Questions: []dnsmessage.Question{{Name: name(z.service), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}},
		Answers:   []dnsmessage.Resource{other, txt},
	}))
	if len(peers) != 1 || peers[0].ID != bob.ID || len(peers[0].Addrs) != 1 {
		t.Errorf("read %v, want bob at one address", peers)
	}
}

func TestZoneBoundsWhatItReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		z := newZone("_tom._udp", "here")
		texts := rapid.SliceOfN(rapid.StringN(0, 80, 200), 0, 40).Draw(t, "texts")
		_, peers := z.read(z.answer(texts))
		if len(peers) > maxAddrs {
			t.Fatalf("%d peers out of one packet", len(peers))
		}
	})
}

func FuzzZoneRead(f *testing.F) {
	z := newZone("_tom._udp", "here")
	id, err := peer.Decode("12D3KooWGWTzxVrfc8Emr7To8gjK6ooRdMJ713XdqR9tjYrcxABo")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(z.query())
	f.Add(z.answer([]string{"/ip4/192.168.1.7/tcp/5/p2p/" + id.String()}))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		_, peers := z.read(b)
		if len(peers) > 3*maxRecords*maxAddrs {
			t.Errorf("%d peers", len(peers))
		}
		for _, p := range peers {
			if p.ID.Validate() != nil || len(p.Addrs) == 0 {
				t.Errorf("named %v", p)
			}
		}
		if !bytes.Equal(b, before) {
			t.Error("the packet was changed")
		}
	})
}

func TestTheLANIsToldWhatMeansSomethingThere(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"/ip4/192.168.1.2/udp/4001/quic-v1": true, "/ip6/fd00::1/tcp/4001": true, "/ip4/127.0.0.1/tcp/4001": false,
		"/ip6/fe80::1/tcp/4001": false, "/ip4/0.0.0.0/tcp/4001": false, "/ip4/192.168.1.2/tcp/4001/ws": false,
	} {
		if got := ofLAN(multiaddr.StringCast(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}
