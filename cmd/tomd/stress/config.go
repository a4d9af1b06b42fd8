package stress

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tom-protocol/tom/node/localapi"
)

// Config says what to do, and with whom. Zero values mean what each field says.
type Config struct {
	Executable string   // what daemons are started from; required
	DaemonArgs []string // more arguments of tomd start, for all of them

	// To is a listener elsewhere: petname, peer id or contact link; Client is the
	// daemon to send from then. "" runs daemons of its own.
	To     string
	Client *localapi.Client

	Duration  time.Duration // of all phases together; 0: two minutes
	Rate      float64       // messages a second where a phase sends steadily; 0: 1 in endurance, 20 elsewhere
	Size      int           // bytes of a message where a phase does not vary it; 0: 256
	Lifetime  time.Duration // of messages; 0: as long as may be
	KillEvery time.Duration // how often endurance kills each side; 0: four times in all, negative: never
	Away      time.Duration // how long who was killed stays away; 0: as the phase chooses
	Patience  time.Duration // how long the last messages may take; 0: a minute
	Weather   string        // of chaos, as tomd start --chaos takes it; "": a little of everything
	Seed      uint64        // of what is random; 0: another each time
	Report    string        // file to write the report to; "": none

	// Verify checks a receipt's signature, and that it is about its message.
	Verify func(localapi.Receipt) error

	Out io.Writer // a line of JSON for each thing that happens
	Err io.Writer // the same for people
}

// maxMessages bounds what a run keeps in memory.
const maxMessages = 2_000_000

func (c *Config) complete() error {
	if c.Duration == 0 {
		c.Duration = 2 * time.Minute
	}
	if c.Size == 0 {
		c.Size = 256
	}
	if c.Weather == "" {
		c.Weather = "loss=1%,delay=5ms,kill-stream=12/min"
	}
	if c.Patience == 0 {
		c.Patience = time.Minute
	}
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	switch {
	case c.Duration < time.Second:
		return fmt.Errorf("%v is too short: say 30s, for example", c.Duration)
	case c.Size < 0 || c.Size > localapi.MaxBody:
		return fmt.Errorf("a message has up to %d bytes", localapi.MaxBody)
	case c.Rate < 0 || c.Rate > 10_000:
		return errors.New("the rate is from 0 to 10 000 messages a second")
	case c.Rate*c.Duration.Seconds() > maxMessages:
		return fmt.Errorf("at this rate there would be more than %d messages to keep books of", maxMessages)
	}
	return nil
}

// every is the time between two messages, of a phase with that rate by itself.
func (c *Config) every(rate float64) time.Duration {
	if c.Rate > 0 {
		rate = c.Rate
	}
	return time.Duration(float64(time.Second) / rate)
}
