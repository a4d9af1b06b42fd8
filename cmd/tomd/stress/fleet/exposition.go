package fleet

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// maxSeries bounds how many series are read of one answer.
const maxSeries = 20_000

// Exposition is what a daemon's metrics say, by series as they are written:
// "tom_received_total", `tom_ended_total{state="delivered"}`.
type Exposition map[string]float64

// ParseExposition reads the text form of Prometheus as the daemon writes it:
// name and labels, a space, a value.
func ParseExposition(text []byte) (Exposition, error) {
	e := make(Exposition)
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("metrics: %q is no series", line)
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: %q has no value: %w", line, err)
		}
		if e[line[:at]] = value; len(e) > maxSeries {
			return nil, fmt.Errorf("metrics: more than %d series", maxSeries)
		}
	}
	return e, lines.Err()
}

// Sum adds up the series of a name whose labels contain all of those given,
// written as in the exposition: state="delivered".
func (e Exposition) Sum(name string, labels ...string) (sum float64) {
series:
	for series, value := range e {
		rest, ok := strings.CutPrefix(series, name)
		if !ok || rest != "" && rest[0] != '{' {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(rest, label) {
				continue series
			}
		}
		sum += value
	}
	return sum
}
