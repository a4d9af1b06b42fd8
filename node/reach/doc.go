// Package reach owns what this node holds about how it can be reached.
//
// libp2p's parts wait for one event, "local reachability changed": while it says
// private, reservations with relays are kept. AutoNAT v1 would send it after 15
// seconds at the earliest and may contradict AutoNAT v2 later, so it is silenced
// and this package alone sends it: private from the first moment, public as soon
// as AutoNAT v2 has confirmed an address, or at once where the user vouches.
//
// AutoNAT's word suffices for an address of this machine's own and for a port
// that the router gave it on demand. Any other is a router's, which may let in
// those alone who were spoken to, and the peers that judge were. There somebody
// must come, by the same family and transport, from where nothing was sent
// before: a friend or a newcomer who found the address in the DHT or in a
// presence, while it was told on trial. Till then relays stay in use. So a full
// cone or a forwarded port becomes public minutes after the start, with the
// first newcomer; vouching makes it so at once.
//
//	AutoNAT v2 ┐                       ┌ reachability event → reservations
//	strangers ─┤                       │
//	the user ──┤→ Judge → verdict ─────┤ Public: the role of a relay
//	the clock ─┘  (pure)               └ Advertise: which addresses others hear of
//	identify ──→ sightings (pure) ─────→ Report: the kind of NAT, and advice
//	uplink ────→ roam: drop what died with the old one, connect anew
//
// It also runs the relay service when the node takes up that role, has two ends
// of a circuit that share a LAN meet there, and punches again where the first
// attempts of a circuit failed.
package reach
