package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

const own = "github.com/tom-protocol/tom/"

// shares says what a function's time is spent on, by the beginning of its
// name. Of a stack the innermost function that is named here counts, so memory
// and locks are charged to who uses them, and QUIC's encryption to the stream.
var shares = []struct {
	name  string
	calls []string
}{
	{"sign", []string{"crypto/ed25519.Sign", "crypto/ed25519.sign", "crypto/ed25519.PrivateKey.Sign", "crypto/internal/fips140/ed25519.Sign", "crypto/internal/fips140/ed25519.sign"}},
	{"verify", []string{"crypto/ed25519.Verify", "crypto/ed25519.verify", "crypto/internal/fips140/ed25519.Verify", "crypto/internal/fips140/ed25519.verify", "github.com/oasisprotocol/curve25519-voi"}},
	{"seal, open, shred", []string{"golang.org/x/crypto/chacha20poly1305", "golang.org/x/crypto/chacha20", "crypto/ecdh", "crypto/hkdf", own + "node/identity"}},
	{"proof trees", []string{own + "protocols/proof"}},
	{"store", []string{"github.com/cockroachdb", own + "node/store"}},
	{"streams", []string{"github.com/quic-go", "github.com/libp2p", own + "protocols/stream", own + "node/links"}},
	{"delivery", []string{own + "node/courier", own + "protocols/delivery"}},
	{"codecs, digests", []string{own + "protocols", "github.com/tinylib/msgp"}},
	{"API, events", []string{own + "node."}},
	{"this benchmark", []string{"main."}},
}

// rest is what no function above has asked for: garbage collector and scheduler.
const rest = "runtime"

// shareOf classifies a stack, innermost function first.
func shareOf(stack []string) string {
	for _, function := range stack {
		for _, s := range shares {
			if slices.ContainsFunc(s.calls, func(c string) bool { return strings.HasPrefix(function, c) }) {
				return s.name
			}
		}
	}
	return rest
}

// split runs ToM once more, under the profiler.
func (b *bench) split() error {
	dir := b.profiles
	if dir == "" {
		dir = b.dir
	}
	files := [2]string{filepath.Join(dir, "receiver.pprof"), filepath.Join(dir, "sender.pprof")}
	if err := b.profileRun(files); err != nil {
		return err
	}
	sums := make(map[string]*portion)
	for side, file := range files {
		if err := addProfile(sums, side, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for name, s := range sums {
		s.Name = name
		s.Sender /= float64(b.n)
		s.Receiver /= float64(b.n)
		b.report.Split = append(b.report.Split, *s)
	}
	slices.SortFunc(b.report.Split, func(x, y portion) int { return cmp.Compare(y.sum(), x.sum()) })
	return nil
}

func (b *bench) profileRun(files [2]string) (err error) {
	p, err := openPair("tom", b.dir, nil)
	if err != nil {
		return err
	}
	defer func() {
		if e := p.close(); err == nil {
			err = e
		}
	}()
	if _, err = p.sending.call(order{Do: "burst", N: load{messages: b.n}.warmUp(), Window: window}); err != nil {
		return err
	}
	if err = p.both("profile", files); err != nil {
		return err
	}
	if _, err = p.sending.call(order{Do: "burst", N: b.n, Window: window}); err != nil {
		return err
	}
	return p.both("profiled", files)
}

// addProfile adds a CPU profile's time, in µs, to what was spent on each side.
func addProfile(sums map[string]*portion, side int, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	prof, err := profile.Parse(f)
	if err != nil {
		return err
	}
	for _, sample := range prof.Sample {
		name := shareOf(stackOf(sample))
		if sums[name] == nil {
			sums[name] = new(portion)
		}
		spent := float64(sample.Value[len(sample.Value)-1]) / 1000 // CPU time is the last value, in ns
		if side == 0 {
			sums[name].Receiver += spent
		} else {
			sums[name].Sender += spent
		}
	}
	return nil
}

func stackOf(s *profile.Sample) (stack []string) {
	for _, l := range s.Location {
		for _, line := range l.Line { // what was inlined comes first
			stack = append(stack, line.Function.Name)
		}
	}
	return stack
}
