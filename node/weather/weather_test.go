package weather

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tom-protocol/tom/protocols/stream"
	"github.com/tom-protocol/tom/protocols/stream/streamtest"
)

// bubble runs f in virtual time; it fails if a goroutine is left.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, f)
}

// closing is a stream in the weather whose one direction ends with the other.
type closing struct{ stream.Raw }

func (c closing) CloseWrite() error { return c.Close() }

// A stream in the weather is a stream: without loss it is held to what all are.
func TestDelayedStreamsKeepTheSuite(t *testing.T) {
	t.Parallel()
	w := New(Forecast{Delay: 5 * time.Millisecond}, nil)
	t.Run("Here", func(t *testing.T) {
		streamtest.Suite(t, func(*testing.T) (a, b streamtest.Raw) {
			near, far := streamtest.Pipe()
			return closing{w.Expose(near)}, far
		})
	})
	t.Run("There", func(t *testing.T) {
		streamtest.Suite(t, func(*testing.T) (a, b streamtest.Raw) {
			near, far := streamtest.Pipe()
			return near, closing{w.Expose(far)}
		})
	})
	w.Wait()
}

// pair are lines over a pipe, of which one end is in the weather.
func pair(t *testing.T, w *Weather) (in, fair *stream.Line) {
	a, b := streamtest.Pipe()
	in, fair = stream.NewLine(w.Expose(a), stream.Limits{Idle: -1}), stream.NewLine(b, stream.Limits{Idle: -1})
	t.Cleanup(func() {
		in.Reset()
		fair.Reset()
		<-in.Done()
		<-fair.Done()
		w.Wait()
	})
	return in, fair
}

func TestLossIsWhatWasToldEitherWay(t *testing.T) {
	const frames, loss = 20_000, 0.05
	bubble(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		w := New(Forecast{Loss: loss}, reg)
		in, fair := pair(t, w)
		for name, ends := range map[string][2]*stream.Line{"out": {in, fair}, "in": {fair, in}} {
			got := transfer(t, ends[0], ends[1], frames)
			// Six standard deviations: one run in a thousand million is off.
			off := 6 * math.Sqrt(frames*loss*(1-loss))
			if lost := float64(frames - got); math.Abs(lost-frames*loss) > off {
				t.Errorf("%s: %v of %d frames lost, want %v ± %.0f", name, lost, frames, frames*loss, off)
			}
			if counted := testutil.ToFloat64(w.count.frames.WithLabelValues(name, "passed")); counted != float64(got+1) { // and the mark
				t.Errorf("%s: %v frames counted, and %d came", name, counted, got)
			}
		}
	})
}

// transfer sends numbered frames of many sizes, and counts those that come, which
// must be whole and in order.
func transfer(t *testing.T, from, to *stream.Line, frames int) (got int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := -1
		for {
			batch, err := to.Receive(nil)
			if err != nil {
				t.Errorf("receive: %v", err)
				return
			}
			for _, f := range batch {
				n := int(binary.BigEndian.Uint32(f))
				if n == frames {
					return
				}
				if n <= last || len(f) != size(n) || !bytes.Equal(f[4:], bytes.Repeat([]byte{byte(n)}, size(n)-4)) {
					t.Errorf("frame %d of %d bytes came after %d", n, len(f), last)
				}
				last = n
				got++
			}
		}
	}()
	send := func(n int) {
		for errors.Is(from.Send(append(binary.BigEndian.AppendUint32(nil, uint32(n)), bytes.Repeat([]byte{byte(n)}, size(n)-4)...), nil), stream.ErrFull) {
			synctest.Wait()
		}
	}
	for n := range frames {
		send(n)
	}
	for { // the mark at the end is a frame that may be lost too
		send(frames)
		synctest.Wait()
		select {
		case <-done:
			return got
		default:
		}
	}
}

// size is what frame n has in bytes.
func size(n int) int { return 4 + n%300 }

func TestFramesComeTheirTimeLaterInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const delay = 200 * time.Millisecond
		in, fair := pair(t, New(Forecast{Delay: delay}, nil))
		for _, ends := range [][2]*stream.Line{{in, fair}, {fair, in}} {
			begun := time.Now()
			for n := range 10 { // one each 50 ms, so that several are under way
				time.AfterFunc(time.Duration(n+1)*50*time.Millisecond, func() { _ = ends[0].Send([]byte{byte(n)}, nil) })
			}
			for n := range 10 {
				frames, err := ends[1].Receive(nil)
				if err != nil || len(frames) != 1 || frames[0][0] != byte(n) {
					t.Fatalf("frame %d: %v, %v", n, frames, err)
				}
				if want := time.Duration(n+1)*50*time.Millisecond + delay; time.Since(begun) != want {
					t.Errorf("frame %d came after %v, want %v", n, time.Since(begun), want)
				}
			}
		}
	})
}

func TestALaneThatIsFullLetsItsSenderWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := streamtest.Pipe()
		w := New(Forecast{Delay: time.Second}, nil)
		s := w.Expose(a)
		begun, took := time.Now(), make(chan time.Duration, 1)
		go func() {
			_, _ = s.Write(make([]byte, (lanePieces+8)*pieceSize))
			took <- time.Since(begun)
			_ = s.Close()
		}()
		if n, err := io.Copy(io.Discard, b); err != nil || n != (lanePieces+8)*pieceSize {
			t.Errorf("%d bytes came: %v", n, err)
		}
		if d := <-took; d != time.Second {
			t.Errorf("the write took %v, want a second: until the first piece left", d)
		}
		w.Wait()
	})
}

func TestStreamsDieAsOftenAsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := New(Forecast{Kills: 1}, nil)
		go func() { _ = w.Run(t.Context()) }()
		var bystander stream.Raw // there is more than one to choose from
		killed, begun := 0, time.Now()
		for time.Since(begun) < 400*time.Second {
			a, b := streamtest.Pipe()
			s := w.Expose(a)
			if bystander == nil {
				bystander = s
			}
			_, err := io.Copy(io.Discard, s)
			if !errors.Is(err, errKilled) {
				_ = s.Close()
			}
			if _, err := b.Read(make([]byte, 1)); err == nil {
				t.Error("the other side of a killed stream reads on")
			}
			killed++
			_ = s.Close()
		}
		_ = bystander.Reset()
		total := testutil.ToFloat64(w.count.killed)
		if math.Abs(total-400) > 6*20 { // the deviation of a Poisson process
			t.Errorf("%v streams killed in 400 s, want about 400", total)
		}
		if killed < int(total)-1 {
			t.Errorf("%d streams were seen to die of %v", killed, total)
		}
		w.Wait()
	})
}

func TestADeadlinePassesInTheWeatherToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := streamtest.Pipe()
		w := New(Forecast{Delay: time.Second}, nil)
		s := w.Expose(a)
		begun := time.Now()
		_ = s.SetReadDeadline(begun.Add(3 * time.Second))
		_, err := s.Read(make([]byte, 1))
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() || time.Since(begun) != 3*time.Second {
			t.Errorf("read: %v after %v, want a timeout after 3s", err, time.Since(begun))
		}
		_ = s.SetReadDeadline(time.Time{})
		_ = s.SetWriteDeadline(time.Now().Add(time.Second)) // nobody reads: a second after it left
		begun = time.Now()
		_, _ = s.Write([]byte("x"))
		if _, err := s.Read(make([]byte, 1)); err == nil || time.Since(begun) != 2*time.Second {
			t.Errorf("the stream ended with %v after %v, want 2s", err, time.Since(begun))
		}
		_, _ = s.Reset(), b.Reset()
		w.Wait()
	})
}

func TestSievePassesWhatIsNoFrame(t *testing.T) {
	t.Parallel()
	never := func() bool { return false }
	for name, in := range map[string][]byte{
		"a length without end": bytes.Repeat([]byte{0xff}, 40),
		"a huge length":        {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3},
		"an empty frame":       {0, 1, 'a', 0},
		"a long zero":          {0x80, 0x00, 1, 'a'},
	} {
		for step := 1; step <= len(in); step++ {
			s, got := sieve{drop: never}, []byte(nil)
			for rest := in; len(rest) > 0; rest = rest[min(step, len(rest)):] {
				got = s.sift(got, rest[:min(step, len(rest))])
			}
			if !bytes.Equal(got, in) {
				t.Errorf("%s in steps of %d: %x, want %x", name, step, got, in)
			}
		}
	}
}

// However the bytes are cut, the frames that are not dropped come out whole.
func FuzzSieve(f *testing.F) {
	f.Add(uint64(1), []byte{1, 'a', 2, 'b', 'c', 0, 3, 'd', 'e', 'f'})
	f.Fuzz(func(t *testing.T, seed uint64, in []byte) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var fates []bool
		s := sieve{drop: func() bool {
			fates = append(fates, rng.IntN(2) == 0)
			return fates[len(fates)-1]
		}}
		var got []byte
		for rest := in; len(rest) > 0; {
			n := 1 + rng.IntN(len(rest))
			got = s.sift(got, rest[:n])
			rest = rest[n:]
		}
		if want, whole := keep(in, fates); whole && !bytes.Equal(got, want) {
			t.Errorf("%x with %v: %x, want %x", in, fates, got, want)
		}
	})
}

// keep is the sieve as one would write it for bytes that are all there.
func keep(in []byte, fates []bool) (out []byte, whole bool) {
	for len(in) > 0 {
		size, n := binary.Uvarint(in)
		if n <= 0 || size > uint64(len(in)-n) || len(fates) == 0 {
			return nil, false
		}
		if !fates[0] {
			out = append(out, in[:n+int(size)]...)
		}
		in, fates = in[n+int(size):], fates[1:]
	}
	return out, true
}
