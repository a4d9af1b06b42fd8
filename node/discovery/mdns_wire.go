package discovery

import (
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"golang.org/x/net/dns/dnsmessage"
)

// zone is what a network's nodes say to each other in mDNS packets:
//
//	question  <service>.local PTR?
//	answer    <service>.local PTR <label>.<service>.local
//	          <label>.<service>.local TXT "dnsaddr=<multiaddr with /p2p/>" …
//
// See https://github.com/libp2p/specs/blob/master/discovery/mdns.md.
type zone struct{ service, instance string }

func newZone(service, label string) zone {
	name := service + ".local."
	return zone{service: name, instance: label + "." + name}
}

const (
	addrPrefix = "dnsaddr="
	answerTTL  = 120  // seconds
	maxTexts   = 1200 // bytes of addresses in an answer, so that it is one packet
	maxString  = 255  // bytes of one string in DNS
	maxRecords = 64   // that are read of one packet
)

func (z zone) query() []byte {
	return pack(dnsmessage.Message{Questions: []dnsmessage.Question{{
		Name: name(z.service), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET,
	}}})
}

// answer tells of addrs, as many as fit; nil if there are none.
func (z zone) answer(addrs []string) []byte {
	var texts []string
	room := maxTexts
	for _, a := range addrs {
		if text := addrPrefix + a; len(text) <= min(room, maxString) {
			texts = append(texts, text)
			room -= len(text) + 1
		}
	}
	if len(texts) == 0 {
		return nil
	}
	header := dnsmessage.ResourceHeader{Class: dnsmessage.ClassINET, TTL: answerTTL}
	ptr, txt := header, header
	ptr.Name, txt.Name = name(z.service), name(z.instance)
	return pack(dnsmessage.Message{
		Header:      dnsmessage.Header{Response: true, Authoritative: true},
		Answers:     []dnsmessage.Resource{{Header: ptr, Body: &dnsmessage.PTRResource{PTR: name(z.instance)}}},
		Additionals: []dnsmessage.Resource{{Header: txt, Body: &dnsmessage.TXTResource{TXT: texts}}},
	})
}

func name(s string) dnsmessage.Name { return dnsmessage.MustNewName(s) }

func pack(m dnsmessage.Message) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err) // names and strings are within their bounds
	}
	return b
}

// read says whether a packet asks for nodes of the zone, and whom it names.
func (z zone) read(packet []byte) (asked bool, peers []peer.AddrInfo) {
	var p dnsmessage.Parser
	h, err := p.Start(packet)
	if err != nil {
		return false, nil
	}
	for range maxRecords {
		q, err := p.Question()
		if err != nil {
			break
		}
		asked = asked || !h.Response && q.Type == dnsmessage.TypePTR && z.is(q.Name)
	}
	if !h.Response || p.SkipAllQuestions() != nil {
		return asked, nil
	}
	return false, z.readAnswers(&p)
}

// readAnswers looks at every section: implementations differ in where they put
// the addresses.
func (z zone) readAnswers(p *dnsmessage.Parser) []peer.AddrInfo {
	var addrs []multiaddr.Multiaddr
	sections := []func() (dnsmessage.ResourceHeader, error){p.AnswerHeader, p.AuthorityHeader, p.AdditionalHeader}
	skips := []func() error{p.SkipAnswer, p.SkipAuthority, p.SkipAdditional}
	for i, next := range sections {
		for range maxRecords {
			h, err := next()
			if err != nil {
				break
			}
			if h.Type != dnsmessage.TypeTXT || !z.holds(h.Name) {
				if skips[i]() != nil {
					return nil
				}
				continue
			}
			txt, err := p.TXTResource()
			if err != nil {
				return nil
			}
			addrs = append(addrs, textAddrs(txt.TXT)...)
		}
	}
	infos, err := peer.AddrInfosFromP2pAddrs(addrs...)
	if err != nil {
		return nil
	}
	return infos
}

// textAddrs reads up to maxAddrs addresses.
func textAddrs(texts []string) (addrs []multiaddr.Multiaddr) {
	for _, text := range texts {
		at, ok := strings.CutPrefix(text, addrPrefix)
		if !ok || len(addrs) == maxAddrs {
			continue
		}
		if a, err := multiaddr.NewMultiaddr(at); err == nil && hasPeer(a) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// hasPeer says that a is the address of a peer at some transport address.
func hasPeer(a multiaddr.Multiaddr) bool {
	return len(a) > 1 && a[len(a)-1].Protocol().Code == multiaddr.P_P2P
}

func (z zone) is(n dnsmessage.Name) bool { return strings.EqualFold(n.String(), z.service) }

// holds says that n is the name of a node of the zone.
func (z zone) holds(n dnsmessage.Name) bool {
	_, service, ok := strings.Cut(n.String(), ".")
	return ok && strings.EqualFold(service, z.service)
}
