package weather

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Forecast says how bad it gets. The zero value is fair weather.
type Forecast struct {
	Loss  float64       // the chance of each frame, either way, to be dropped; 0 to 1
	Delay time.Duration // by which each frame, either way, is held back; at most MaxDelay
	Kills float64       // streams of this node that are reset, a second; at most MaxKills
}

// The bounds of a forecast.
const (
	MaxDelay = 10 * time.Second
	MaxKills = 100 // a second
)

// Example is a forecast as Parse reads it, for those who ask how it is written.
const Example = "loss=5%,delay=200ms,kill-stream=1/min"

// Parse reads a forecast: parts separated by commas, each at most once.
func Parse(text string) (Forecast, error) {
	var f Forecast
	seen := make(map[string]bool)
	for _, part := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok:
			return Forecast{}, fmt.Errorf("%q is no NAME=VALUE: say %s, for example", part, Example)
		case seen[name]:
			return Forecast{}, fmt.Errorf("%s is there twice", name)
		}
		seen[name] = true
		if err := f.set(name, value); err != nil {
			return Forecast{}, err
		}
	}
	if f == (Forecast{}) {
		return Forecast{}, fmt.Errorf("%q changes nothing: say %s, for example, or leave it out", text, Example)
	}
	return f, nil
}

func (f *Forecast) set(name, value string) (err error) {
	var example string
	switch name {
	case "loss":
		f.Loss, err = parseShare(value)
		example = "loss=5%"
	case "delay":
		f.Delay, err = parseDelay(value)
		example = "delay=200ms"
	case "kill-stream":
		f.Kills, err = parseRate(value)
		example = "kill-stream=1/min"
	default:
		return fmt.Errorf("%q is no part of the weather: it has loss, delay and kill-stream, as in %s", name, Example)
	}
	if err != nil {
		return fmt.Errorf("%s=%s: %w: say %s, for example", name, value, err, example)
	}
	return nil
}

func parseShare(text string) (float64, error) {
	digits, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0, errors.New("a loss is so many per cent")
	}
	share, err := parseNumber(digits)
	if err != nil || share > 100 {
		return 0, errors.New("a loss is between 0% and 100%")
	}
	return share / 100, nil
}

func parseDelay(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > MaxDelay {
		return 0, fmt.Errorf("a delay is a time with its unit, at most %s", MaxDelay)
	}
	return d, nil
}

// units are the times that a rate may be given by, the longest last.
var units = []struct {
	name    string
	seconds float64
}{{"s", 1}, {"min", 60}, {"h", 3600}}

func parseRate(text string) (float64, error) {
	count, unit, _ := strings.Cut(text, "/")
	n, err := parseNumber(count)
	for _, u := range units {
		if rate := n / u.seconds; u.name == unit && err == nil && rate <= MaxKills {
			return rate, nil
		}
	}
	return 0, fmt.Errorf("a rate is a number by s, min or h, at most %d/s", MaxKills)
}

// parseNumber reads plain decimal digits: no sign, no exponent, no infinity.
func parseNumber(text string) (float64, error) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// String is the forecast as Parse reads it; fair weather is the empty string.
func (f Forecast) String() string {
	var parts []string
	if f.Loss > 0 {
		parts = append(parts, "loss="+number(f.Loss*100)+"%")
	}
	if f.Delay > 0 {
		parts = append(parts, "delay="+f.Delay.String())
	}
	if f.Kills > 0 {
		parts = append(parts, "kill-stream="+rate(f.Kills))
	}
	return strings.Join(parts, ",")
}

// rate is n a second by the first unit that makes it one or more.
func rate(n float64) string {
	for _, u := range units {
		if n*u.seconds > 0.9999999 {
			return number(n*u.seconds) + "/" + u.name
		}
	}
	last := units[len(units)-1]
	return number(n*last.seconds) + "/" + last.name
}

func number(n float64) string { return strconv.FormatFloat(n, 'g', 6, 64) }
