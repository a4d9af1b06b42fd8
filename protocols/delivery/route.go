package delivery

import (
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// Route is a chain of relays that pass an envelope on to its recipient: one to
// envelope.MaxHops of them, in the order it passes them.
type Route []protocols.Key

// Outcome is what came of an envelope that was given to the first relay of a
// route: its hop answer, or silence.
type Outcome struct {
	To     protocols.Key   // the envelope's recipient
	Code   envelope.Code   // zero for silence
	Reason envelope.Reason // of a refusal
	Took   time.Duration   // from when its bytes left to the answer, or for how long there was none

	// Of an envelope that the relay says was taken: the recipient signed for
	// it, or did not in time. Code is zero then.
	Receipt, Lost bool
}
