package fleet

import (
	"context"
	"maps"
	"strings"
	"time"
)

// Usage is what a daemon took of the machine, over all its lives.
type Usage struct {
	Name    string   `json:"name"`
	Lives   int      `json:"lives"`
	PeakMB  float64  `json:"peak_mb"`     // resident memory
	CPU     float64  `json:"cpu_seconds"` // as far as it was seen: what a killed process did last was not
	Samples []Sample `json:"samples"`
}

// Sample is one look at a process.
type Sample struct {
	At         time.Time `json:"at"`
	MB         float64   `json:"mb"`
	CPU        float64   `json:"cpu"` // share of one core since the sample before, in the same life
	Goroutines int       `json:"goroutines"`

	life  float64 // when the process began, seconds
	spent float64 // CPU seconds of the process
}

// maxSamples bounds what is kept: when it is reached every second sample goes.
const maxSamples = 600

// counters are a daemon's metrics over all its lives.
type counters struct {
	past Exposition // of lives that have ended, as seen last
	now  Exposition
}

// bank keeps what the life that ends has counted.
func (c *counters) bank() {
	if c.past == nil {
		c.past = make(Exposition)
	}
	for series, value := range c.now {
		if strings.Contains(series, "_total") {
			c.past[series] += value
		}
	}
	c.now = nil
}

// Look asks the daemon for its metrics.
func (m *Member) Look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m.mu.Lock()
	l := m.life
	m.mu.Unlock()
	text, err := m.Client.Metrics(ctx)
	if err != nil {
		return err
	}
	e, err := ParseExposition(text)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == l && !l.told { // else nobody knows whose it is
		m.counters.now = e
		m.usage.note(e, time.Now())
	}
	return nil
}

// Counters are the daemon's counters over all its lives. Of one that was killed
// they lack what it counted after it was asked the last time.
func (m *Member) Counters() Exposition {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := maps.Clone(m.counters.past)
	if sum == nil {
		sum = make(Exposition)
	}
	for series, value := range m.counters.now {
		sum[series] += value
	}
	return sum
}

// Usage is what the daemon has taken so far.
func (m *Member) Usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.usage
	u.Samples = append([]Sample(nil), u.Samples...)
	return u
}

func (u *Usage) note(e Exposition, now time.Time) {
	s := Sample{
		At: now, MB: e["process_resident_memory_bytes"] / 1e6, Goroutines: int(e["go_goroutines"]),
		life: e["process_start_time_seconds"], spent: e["process_cpu_seconds_total"],
	}
	u.PeakMB = max(u.PeakMB, s.MB)
	if len(u.Samples) == 0 || u.Samples[len(u.Samples)-1].life != s.life {
		u.Lives++
		u.CPU += s.spent
		u.Samples = append(u.Samples, s)
		return
	}
	last := &u.Samples[len(u.Samples)-1]
	s.CPU = s.share(last)
	u.CPU += s.spent - last.spent
	u.Samples = append(u.Samples, s)
	if len(u.Samples) >= maxSamples {
		u.thin()
	}
}

// thin keeps every second sample, and the newest; a sample's CPU becomes that
// since the one that is kept before it.
func (u *Usage) thin() {
	kept := u.Samples[:0]
	for i, s := range u.Samples {
		if i%2 == 1 && i < len(u.Samples)-1 {
			continue
		}
		if n := len(kept); n > 0 && kept[n-1].life == s.life {
			s.CPU = s.share(&kept[n-1])
		}
		kept = append(kept, s)
	}
	u.Samples = kept
}

// share is the CPU since a sample before, of the same life.
func (s *Sample) share(before *Sample) float64 {
	took := s.At.Sub(before.At).Seconds()
	if took <= 0 {
		return 0
	}
	return (s.spent - before.spent) / took
}
