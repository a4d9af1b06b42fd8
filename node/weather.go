package node

import (
	"fmt"

	"github.com/tom-protocol/tom/node/weather"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/stream"
)

// checkChaos reads Config.Chaos. Who is on the default network has others to
// deal with, who did not ask for bad weather.
func (s *settings) checkChaos() (err error) {
	if s.Chaos == "" {
		return nil
	}
	if s.forecast, err = weather.Parse(s.Chaos); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	if s.network == protocols.Main {
		return fmt.Errorf("%w: give the nodes that are to meet in it a network of their own", ErrChaosOnMain)
	}
	return nil
}

// newWeather makes bad weather if it was asked for.
func (n *Node) newWeather() *weather.Weather {
	if n.cfg.forecast == (weather.Forecast{}) {
		return nil
	}
	logger.Warnw("bad weather on purpose", "forecast", n.cfg.forecast)
	return weather.New(n.cfg.forecast, n.cfg.Registry)
}

// expose is what puts streams into the weather; nil while it is fair.
func (n *Node) expose() func(stream.Raw) stream.Raw {
	if n.weather == nil {
		return nil
	}
	return n.weather.Expose
}

// chaosNotice is what the user of a node in bad weather must not forget.
func (n *Node) chaosNotice() string {
	return fmt.Sprintf("CHAOS: this node spoils its own streams on purpose (%s): what it does and measures is no sign of how it does otherwise", n.cfg.forecast)
}
