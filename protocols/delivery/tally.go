package delivery

// Way is a kind of path that envelopes leave by.
type Way uint8

// The ways.
const (
	WayDirect  Way = iota // a connection to the recipient
	WayRelayed            // the same, through the circuit of a relay
	WayRelays             // relays that pass the envelope on
	Ways                  // how many there are
)

// String is the word for users.
func (w Way) String() string { return [...]string{"direct", "relayed", "relays"}[w] }

// Fate is what came of one envelope on its way.
type Fate uint8

// The fates.
const (
	FateTaken Fate = iota
	FateBusy
	FateRefused
	FateSilence
	Fates // how many there are
)

// String is the word for metrics.
func (f Fate) String() string { return [...]string{"taken", "busy", "refused", "silence"}[f] }

// Tally counts, for each way, what the machine has done since it was made.
type Tally [Ways]struct {
	Sent   uint64        // envelopes, copies included
	Copies uint64        // of those, what had been sent before
	Fates  [Fates]uint64 // of what was sent
}

// Tally returns the counts so far.
func (m *Machine) Tally() Tally { return m.tally }

// way is the kind of path that the connection to a peer takes.
func (p *peer) way() Way {
	if p.path.Relayed {
		return WayRelayed
	}
	return WayDirect
}

// departs counts one more transmission of a message.
func (m *Machine) departs(t *tracked, w Way) {
	m.tally[w].Sent++
	if t.departed {
		m.tally[w].Copies++
	}
	t.departed = true
}
