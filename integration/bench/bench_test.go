package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain is the side of a race where startSide has run the test binary.
func TestMain(m *testing.M) {
	if side := os.Getenv(sideVariable); side != "" {
		exitOn(serveSide(side))
		return
	}
	os.Exit(m.Run())
}

func TestEverySystemFinishesItsRace(t *testing.T) {
	t.Parallel()
	for name := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := raceOnce(name, t.TempDir(), load{messages: 300, singles: 5}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if o.took <= 0 || o.used.CPU <= 0 || len(o.latency) != 5 {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestRacesGoOverALossyPath(t *testing.T) {
	t.Parallel()
	b := &bench{dir: t.TempDir()}
	for _, name := range []string{"plain", "tom"} {
		if o, err := b.lossyOnce(name, load{messages: 100}); err != nil || o.took < 2*pathDelay {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

// Of many datagrams about the share that should be lost is, and none is early.
func TestWireDelaysAndLoses(t *testing.T) {
	t.Parallel()
	far, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	const delay, count = 30 * time.Millisecond, 400
	w, through, err := openWire(fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", far.LocalAddr().(*net.UDPAddr).Port), delay, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	var port int
	if _, err := fmt.Sscanf(through, "/ip4/127.0.0.1/udp/%d/", &port); err != nil {
		t.Fatal(err)
	}
	near, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	begin := time.Now()
	for range count {
		if _, err := near.Write([]byte("datagram")); err != nil {
			t.Fatal(err)
		}
	}
	came := 0
	for buf := make([]byte, 100); ; came++ {
		far.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		if _, err := far.Read(buf); err != nil {
			break
		}
		if came == 0 && time.Since(begin) < delay {
			t.Errorf("the first came after %v", time.Since(begin))
		}
	}
	if came < count/2 || came > count*9/10 {
		t.Errorf("%d of %d came", came, count)
	}
}

func TestStacksAreChargedToWhoAsked(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		want  string
		stack []string
	}{
		{"store", []string{"runtime.mallocgc", "github.com/cockroachdb/pebble/v2.(*DB).Apply", "github.com/tom-protocol/tom/node/courier.(*Courier).commit"}},
		{"streams", []string{"crypto/aes.encrypt", "crypto/tls.seal", "github.com/quic-go/quic-go.(*Conn).run"}},
		{"sign", []string{"crypto/internal/fips140/edwards25519.add", "crypto/internal/fips140/ed25519.signWithDom", "github.com/tom-protocol/tom/protocols/proof.Sign"}},
		{"verify", []string{"crypto/internal/fips140/ed25519.verifyWithDom", "github.com/tom-protocol/tom/protocols.Network.Verify"}},
		{"verify", []string{"github.com/oasisprotocol/curve25519-voi/primitives/ed25519.verifyWithOptionsNoPanic", "github.com/tom-protocol/tom/protocols.Network.Verify"}},
		{"verify", []string{"github.com/oasisprotocol/curve25519-voi/primitives/ed25519.(*BatchVerifier).Verify", "github.com/tom-protocol/tom/protocols/proof.(*Verifier).VerifyAll"}},
		{rest, []string{"runtime.gcDrain", "runtime.gcBgMarkWorker"}},
	} {
		if got := shareOf(x.stack); got != x.want {
			t.Errorf("%s: %s", x.want, got)
		}
	}
}

func TestMediansAndPercentiles(t *testing.T) {
	t.Parallel()
	if m := median([]float64{9, 1, 5}); m != 5 {
		t.Errorf("median %v", m)
	}
	if m := median([]float64{4, 2}); m != 3 {
		t.Errorf("median of two %v", m)
	}
	o := outcome{latency: []time.Duration{3 * time.Microsecond, time.Microsecond, 2 * time.Microsecond}}
	if p := o.percentile(50); p != 2 {
		t.Errorf("p50 %v", p)
	}
	if p := o.percentile(99); p != 3 {
		t.Errorf("p99 %v", p)
	}
}

func TestReportNamesTheYardstickAndTheGoals(t *testing.T) {
	t.Parallel()
	r := newReport(options{runs: 3})
	r.Systems["plain"] = result{PerSecond: 100_000}
	r.Systems["tom"] = result{PerSecond: 20_000, CPUMicros: 50}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		titles["plain"] + "  1.000", titles["tom"], "0.200",
		"at least 0.15 of plain frames  met", "at most 40 µs CPU a message    missed",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "JetStream") || strings.Contains(out.String(), "NaN") {
		t.Errorf("tells of what was not measured:\n%s", &out)
	}
}

func TestOnlyKnownPartsAreChosen(t *testing.T) {
	t.Parallel()
	if got, err := chosen("tom,plain"); err != nil || len(got) != 2 || got[0].name != "plain" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := chosen("tomato"); err == nil {
		t.Error("a part that is not there was chosen")
	}
}

// Whatever the size of a group, all but the hub are in some process, and the author, and
// as many others as are processes on disk, alone in theirs.
func TestMembersAreHoused(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][]int{
		2: {1}, realMembers: slices.Repeat([]int{1}, realMembers-1), 1000: append(slices.Repeat([]int{1}, realMembers-1), 1000-realMembers),
	} {
		if got := housed(n); !slices.Equal(got, want) {
			t.Errorf("%d members: %v", n, got)
		}
	}
}
