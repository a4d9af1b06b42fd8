package ledger

// Counts compares the two ends.
type Counts struct {
	Sent       int `json:"sent"`       // tries
	Accepted   int `json:"accepted"`   // answered with an id: on the sender's disk
	Refused    int `json:"refused"`    // answered with an error
	Unanswered int `json:"unanswered"` // the daemon went away before it answered
	Delivered  int `json:"delivered"`  // the sender has the recipient's receipt
	Received   int `json:"received"`   // the other end has it
	Stored     int `json:"stored"`     // holders signed for it on its way
	Relayed    int `json:"relayed"`    // a relay took it on its way

	Lost      int `json:"lost"`      // accepted, and not at the other end
	Unsigned  int `json:"unsigned"`  // at the other end, and no receipt has come
	Untrue    int `json:"untrue"`    // a receipt, and not at the other end
	Twice     int `json:"twice"`     // came more than once
	Strange   int `json:"strange"`   // came, and was never sent
	Swapped   int `json:"swapped"`   // came under another id than it was accepted with
	Ended     int `json:"ended"`     // given up by the sender's daemon: expired or failed
	Anyway    int `json:"anyway"`    // came although the daemon never answered: it had been accepted
	Reordered int `json:"reordered"` // came after one with a higher number
}

// Counts compares the two ends as they are now.
func (l *Ledger) Counts() Counts {
	c := Counts{Sent: len(l.entries), Strange: l.strange, Swapped: l.swapped, Reordered: l.late}
	for _, e := range l.entries {
		c.add(e)
	}
	return c
}

func (c *Counts) add(e *entry) {
	here, signed := e.arrivals > 0, !e.signed.IsZero()
	for _, fact := range []struct {
		holds bool
		count *int
	}{
		{e.accepted, &c.Accepted},
		{e.refused, &c.Refused},
		{e.silent, &c.Unanswered},
		{e.accepted && signed, &c.Delivered},
		{here, &c.Received},
		{e.stored, &c.Stored},
		{e.relayed, &c.Relayed},
		{e.accepted && !here, &c.Lost},
		{e.accepted && here && !signed, &c.Unsigned},
		{signed && !here, &c.Untrue},
		{e.arrivals > 1, &c.Twice},
		{e.over, &c.Ended},
		{e.silent && here, &c.Anyway},
	} {
		if fact.holds {
			*fact.count++
		}
	}
}
