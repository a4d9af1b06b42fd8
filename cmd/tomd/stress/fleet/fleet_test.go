package fleet

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

const exposition = `# HELP tom_received_total Messages stored in the inbox.
# TYPE tom_received_total counter
tom_received_total 3
tom_ended_total{state="delivered"} 2
tom_ended_total{state="expired"} 5
tom_ended_total_of_another{state="delivered"} 100
process_resident_memory_bytes 5.0532352e+07
process_start_time_seconds 100
process_cpu_seconds_total 1.5
go_goroutines 92
`

func TestExpositionIsSummedByLabels(t *testing.T) {
	t.Parallel()
	e, err := ParseExposition([]byte(exposition))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"tom_received_total", nil, 3},
		{"tom_ended_total", nil, 7},
		{"tom_ended_total", []string{`state="delivered"`}, 2},
		{"tom_received_total", []string{`state="delivered"`}, 0},
		{"tom_ended", nil, 0},
		{"process_resident_memory_bytes", nil, 50532352},
	} {
		if got := e.Sum(c.name, c.labels...); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
}

func TestWhatIsNoExpositionIsRefused(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range maxSeries + 1 {
		fmt.Fprintf(&many, "x%d 1\n", i)
	}
	for _, bad := range []string{"novalue\n", "x one\n", many.String()} {
		if e, err := ParseExposition([]byte(bad)); err == nil {
			t.Errorf("%.20q... is read as %d series", bad, len(e))
		}
	}
}

func TestCountersGoOnOverLives(t *testing.T) {
	t.Parallel()
	m := &Member{}
	for _, count := range []float64{3, 4} {
		m.counters.now = Exposition{"tom_received_total": count, "go_goroutines": 50}
		m.counters.bank()
	}
	m.counters.now = Exposition{"tom_received_total": 5, "go_goroutines": 60}
	got := m.Counters()
	if got["tom_received_total"] != 12 || got["go_goroutines"] != 60 {
		t.Errorf("%v", got)
	}
}

// look is what a process shows at a time.
func look(life, spent float64) Exposition {
	return Exposition{
		"process_start_time_seconds": life, "process_cpu_seconds_total": spent,
		"process_resident_memory_bytes": 40e6, "go_goroutines": 90,
	}
}

func TestUsageGoesOnOverLives(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1000, 0)
	var u Usage
	for i, e := range []Exposition{look(1, 1), look(1, 1.5), look(2, 0.1), look(2, 0.2)} {
		u.note(e, begin.Add(time.Duration(i)*time.Second))
	}
	if u.Lives != 2 || math.Abs(u.CPU-1.7) > 1e-9 || u.PeakMB != 40 || len(u.Samples) != 4 {
		t.Errorf("%+v", u)
	}
	if got := u.Samples[1].CPU; got != 0.5 {
		t.Errorf("half a core is %v", got)
	}
	if got := u.Samples[2].CPU; got != 0 {
		t.Errorf("the first look at a process says it took %v", got)
	}
}

func TestSamplesAreBounded(t *testing.T) {
	t.Parallel()
	begin := time.Unix(1000, 0)
	var u Usage
	const looks = 20 * maxSamples
	for i := range looks {
		u.note(look(1, float64(i)/10), begin.Add(time.Duration(i)*time.Second))
	}
	if len(u.Samples) >= maxSamples || u.Lives != 1 {
		t.Errorf("%d samples, %d lives", len(u.Samples), u.Lives)
	}
	last := u.Samples[len(u.Samples)-1]
	if !u.Samples[0].At.Equal(begin) || !last.At.Equal(begin.Add((looks-1)*time.Second)) {
		t.Errorf("they are from %v to %v", u.Samples[0].At, last.At)
	}
	for _, s := range u.Samples[1:] {
		if s.CPU < 0.0999 || s.CPU > 0.1001 {
			t.Fatalf("a tenth of a core is %v", s.CPU)
		}
	}
}

func TestWhatADaemonSaysIsBounded(t *testing.T) {
	t.Parallel()
	var said tail
	fmt.Fprint(&said, strings.Repeat("x", 3*maxTail), "\n*** CHAOS ***  on purpose\npanic: no\n")
	if len(said.String()) > maxTail || !strings.HasSuffix(said.complaint(), "\npanic: no") || strings.Contains(said.complaint(), "CHAOS") {
		t.Errorf("%d bytes, ending in %q", len(said.String()), said.String()[maxTail-60:])
	}
	var weather tail
	fmt.Fprint(&weather, "\n*** CHAOS ***  on purpose\n*** CHAOS ***  more of it\n\n")
	if weather.complaint() != "" {
		t.Errorf("bad weather that was asked for is a complaint: %q", weather.complaint())
	}
}
