package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
)

// report is all that was measured. Parts that were not run are absent.
type report struct {
	Platform   string            `json:"platform"`
	CPUs       int               `json:"cpus"`
	Runs       int               `json:"runs"`
	SyncMicros float64           `json:"sync_us"`     // a small write and fsync
	TripMicros float64           `json:"udp_trip_us"` // a datagram and back
	Systems    map[string]result `json:"systems,omitempty"`
	Lossy      map[string]result `json:"lossy,omitempty"`
	Split      []portion         `json:"split,omitempty"`
	Away       *away             `json:"away,omitempty"`
	Groups     []gathering       `json:"groups,omitempty"`
	Small      *footprint        `json:"small,omitempty"`
	Memory     map[string]weight `json:"memory,omitempty"`
}

// result is the median of the runs of a race.
type result struct {
	Messages  int     `json:"messages"` // in a run
	PerSecond float64 `json:"per_second"`
	CPUMicros float64 `json:"cpu_us"`               // a message, both sides
	Written   float64 `json:"written_bytes"`        // to disk a message, both sides; 0: nothing, or not known here
	Wire      float64 `json:"wire_bytes,omitempty"` // of datagrams a message, both ways; over the lossy path
	P50Micros float64 `json:"p50_us,omitempty"`
	P99Micros float64 `json:"p99_us,omitempty"`
}

// portion is CPU time a message, in µs.
type portion struct {
	Name     string  `json:"name"`
	Sender   float64 `json:"sender_us"`
	Receiver float64 `json:"receiver_us"`
}

func (p portion) sum() float64 { return p.Sender + p.Receiver }

// footprint is what the daemon takes.
type footprint struct {
	Platform     string  `json:"platform"`
	BinaryMB     float64 `json:"binary_mb"` // static and stripped
	FirstStartMS float64 `json:"first_start_ms"`
	StartMS      float64 `json:"start_ms"` // from exec to listening
	IdleMB       float64 `json:"idle_mb"`  // resident; 0: not measured on this system
	Peers        int     `json:"peers"`
	PeerKB       float64 `json:"peer_kb"` // resident, for each connected idle peer
}

func newReport(o options) report {
	return report{
		Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Runs: o.runs,
		Systems: make(map[string]result), Lossy: make(map[string]result), Memory: make(map[string]weight),
	}
}

// medianOf sums runs of n messages up.
func medianOf(outs []outcome, n int) result {
	of := func(value func(outcome) float64) float64 {
		all := make([]float64, len(outs))
		for i, o := range outs {
			all[i] = value(o)
		}
		return median(all)
	}
	per := float64(n)
	return result{
		Messages:  n,
		PerSecond: of(func(o outcome) float64 { return per / o.took.Seconds() }),
		CPUMicros: of(func(o outcome) float64 { return micros(o.used.CPU) / per }),
		Written:   of(func(o outcome) float64 { return float64(o.used.Written) / per }),
		Wire:      of(func(o outcome) float64 { return float64(o.carried) }),
		P50Micros: of(func(o outcome) float64 { return o.percentile(50) }),
		P99Micros: of(func(o outcome) float64 { return o.percentile(99) }),
	}
}

// percentile is a latency in µs, 0 if none was measured.
func (o outcome) percentile(p int) float64 {
	if len(o.latency) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(o.latency))
	return micros(sorted[min(len(sorted)*p/100, len(sorted)-1)])
}

func median(all []float64) float64 {
	slices.Sort(all)
	mid := len(all) / 2
	if len(all)%2 == 1 {
		return all[mid]
	}
	return (all[mid-1] + all[mid]) / 2
}

var titles = map[string]string{
	"plain":          "plain frames, plain acknowledgements, one libp2p QUIC stream",
	"tom":            "ToM: sealed, signed, synced on both sides, signed receipt",
	"jetstream":      "NATS JetStream, file store, default sync, in clear",
	"jetstream-sync": "NATS JetStream, file store, sync always, in clear",
}

func (r report) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s, %d CPUs; write and sync of 512 bytes %.0f µs, UDP round trip %.0f µs; medians of %d runs\n",
		r.Platform, r.CPUs, r.SyncMicros, r.TripMicros, r.Runs)
	fmt.Fprintf(t, "%d-byte bodies, one conversation, two processes with GOGC=400 as in a busy tomd, at most %d not yet acknowledged\n", bodySize, window)
	r.printRaces(t, "on loopback", r.Systems)
	r.printRaces(t, fmt.Sprintf("over a path of %v each way that loses %.0f %% each way", pathDelay, pathLoss*100), r.Lossy)
	r.printSplit(t)
	r.printAway(t)
	r.printGroups(t)
	r.printSmall(t)
	r.printMemory(t)
	r.printGoals(t)
	return t.Flush()
}

func (r report) printRaces(w io.Writer, where string, races map[string]result) {
	if len(races) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\tratio\tmessages/s\tCPU µs\tdisk bytes\twire bytes\tp50 µs\tp99 µs\tof\n", where)
	for _, p := range parts {
		res, ok := races[p.name]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "  %s\t%s\t%.0f\t%.1f\t%.0f\t%s\t%s\t%s\t%d\n", titles[p.name], ratio(res, races["plain"]),
			res.PerSecond, res.CPUMicros, res.Written, ifAny(res.Wire), ifAny(res.P50Micros), ifAny(res.P99Micros), res.Messages)
	}
}

// ifAny leaves out what was not measured.
func ifAny(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", v)
}

// ratio compares with plain frames.
func ratio(r, plain result) string {
	if plain.PerSecond == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", r.PerSecond/plain.PerSecond)
}

func (r report) printSplit(w io.Writer) {
	if len(r.Split) == 0 {
		return
	}
	fmt.Fprintln(w, "\nCPU µs a message in ToM, by profile\tboth\tsender\treceiver")
	var sum portion
	for _, p := range r.Split {
		fmt.Fprintf(w, "  %s\t%.1f\t%.1f\t%.1f\n", p.Name, p.sum(), p.Sender, p.Receiver)
		sum.Sender += p.Sender
		sum.Receiver += p.Receiver
	}
	fmt.Fprintf(w, "  sum\t%.1f\t%.1f\t%.1f\n", sum.sum(), sum.Sender, sum.Receiver)
}

func (r report) printSmall(w io.Writer) {
	if f := r.Small; f != nil {
		fmt.Fprintf(w, "\ntomd on %s\n", f.Platform)
		fmt.Fprintf(w, "  binary, static and stripped\t%.1f MB\n", f.BinaryMB)
		fmt.Fprintf(w, "  from exec to listening\t%.0f ms (%.0f at the first start)\n", f.StartMS, f.FirstStartMS)
	}
	if f := r.Small; f != nil && f.IdleMB > 0 {
		fmt.Fprintf(w, "  resident when idle\t%.1f MB\n", f.IdleMB)
		fmt.Fprintf(w, "  more for each of %d connected idle peers\t%.0f KB\n", f.Peers, f.PeerKB)
	}
}
