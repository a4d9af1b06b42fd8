package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
)

// The size of a plot, in its own units, and of the margins around what is drawn.
const (
	width, height = 720, 160
	left, bottom  = 48, 20
	top, right    = 8, 8
)

// Plot is a plot, ready to be drawn.
type Plot struct {
	Unit   string
	Top    string // of the vertical axis
	Left   string // of the horizontal axis
	Right  string
	Bands  []Band
	Lines  []Line
	Bars   []Bar
	Titles []Title
}

// Band is a stretch of time with a name.
type Band struct {
	X, Width float64
	Name     string
	Odd      bool
}

// Line is a line through points, written as SVG has them.
type Line struct {
	Points, Colour string
}

// Title names a line.
type Title struct {
	Name, Colour string
}

// Bar is a column.
type Bar struct {
	X, Y, Width, Height float64
	Title               string
}

// colours are told apart by people who see few of them, too.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333"}

// plotter puts values over time into a plot.
type plotter struct {
	unit       string
	begin, end time.Time
	bands      []Band
	series     []series
	most       float64
}

type series struct {
	name   string
	points [][2]float64 // time as a share of the plot's, value
}

func (p *plotter) x(at time.Time) float64 {
	whole := p.end.Sub(p.begin).Seconds()
	if whole <= 0 {
		return 0
	}
	return min(1, max(0, at.Sub(p.begin).Seconds()/whole))
}

func (p *plotter) band(name string, from, to time.Time) {
	p.bands = append(p.bands, Band{
		X: across(p.x(from)), Width: across(p.x(to)) - across(p.x(from)), Name: name, Odd: len(p.bands)%2 == 1,
	})
}

func (p *plotter) line(name string, samples []fleet.Sample, value func(*fleet.Sample) float64) {
	s := series{name: name}
	for i := range samples {
		v := value(&samples[i])
		s.points = append(s.points, [2]float64{p.x(samples[i].At), v})
		p.most = max(p.most, v)
	}
	p.series = append(p.series, s)
}

func (p *plotter) plot() Plot {
	most := round(p.most)
	out := Plot{
		Unit: p.unit, Top: number(most), Bands: p.bands,
		Left: "0 s", Right: fmt.Sprintf("%.0f s", p.end.Sub(p.begin).Seconds()),
	}
	for i, s := range p.series {
		var points strings.Builder
		for _, at := range s.points {
			fmt.Fprintf(&points, "%.1f,%.1f ", across(at[0]), up(at[1]/most))
		}
		colour := colours[i%len(colours)]
		out.Lines = append(out.Lines, Line{Points: points.String(), Colour: colour})
		if s.name != "" {
			out.Titles = append(out.Titles, Title{s.name, colour})
		}
	}
	return out
}

// across and up turn shares into places in the plot.
func across(x float64) float64 { return left + x*(width-left-right) }
func up(y float64) float64     { return height - bottom - y*(height-top-bottom) }

// round is the next number from x on with one digit, at least one.
func round(x float64) float64 {
	if x <= 1 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	return math.Ceil(x/unit) * unit
}

func number(x float64) string { return fmt.Sprintf("%.0f", x) }

// columns draws counts as columns of equal width.
func columns(counts []uint64, unit, from, to string, title func(i int) string) Plot {
	most := 0.0
	for _, n := range counts {
		most = max(most, float64(n))
	}
	most = round(most)
	out := Plot{Unit: unit, Top: number(most), Left: from, Right: to}
	each := float64(width-left-right) / float64(max(1, len(counts)))
	for i, n := range counts {
		if n == 0 {
			continue
		}
		y := up(float64(n) / most)
		out.Bars = append(out.Bars, Bar{
			X: left + float64(i)*each, Y: y, Width: max(each-1, 0.5), Height: up(0) - y, Title: title(i),
		})
	}
	return out
}

// Times draws the distribution of the times to the receipts: the columns grow
// wider by a fifth or so from one to the next, as on a logarithmic axis.
func (p Phase) Times() Plot {
	bars := p.Latency.Bars
	counts := make([]uint64, len(bars))
	for i, b := range bars {
		counts[i] = b.Count
	}
	name := func(i int) string { return fmt.Sprintf("from %v: %d", bars[i].From, bars[i].Count) }
	if len(bars) == 0 {
		return columns(nil, "messages", "", "", name)
	}
	return columns(counts, "messages", bars[0].From.String(), bars[len(bars)-1].From.String(), name)
}

// Coming draws what came when, with a mark for each daemon that was killed.
func (p Phase) Coming() Plot {
	counts := make([]uint64, len(p.Arrivals))
	for i, n := range p.Arrivals {
		counts[i] = uint64(n)
	}
	each := p.Took.Seconds() / float64(max(1, len(counts)))
	out := columns(counts, fmt.Sprintf("in %.2f s", each), "0 s", fmt.Sprintf("%.0f s", p.Took.Seconds()), func(i int) string {
		return fmt.Sprintf("%.1f s: %d", float64(i)*each, counts[i])
	})
	at := plotter{begin: p.Began, end: p.Began.Add(p.Took)}
	for _, e := range p.Events {
		if strings.Contains(e.What, "SIGKILL") {
			out.Bands = append(out.Bands, Band{X: across(at.x(e.At)), Width: 1, Name: "", Odd: true})
		}
	}
	return out
}
