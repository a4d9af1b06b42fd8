package stream_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols/stream"
	"github.com/tom-protocol/tom/protocols/stream/streamtest"
)

func TestWhatIsQueuedLeavesInOneWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		a := stream.NewLine(raw, stream.Limits{})
		written := 0
		send(t, a, []byte("first"), nil)
		synctest.Wait() // the writer is stuck with the first, for nobody reads
		for range 1000 {
			send(t, a, make([]byte, 40), func(error) { written++ })
		}
		b := stream.NewLine(far, stream.Limits{})
		collect(t, b, 1001)
		synctest.Wait()
		if raw.Writes() != 2 {
			t.Errorf("1001 frames took %d writes, want 2", raw.Writes())
		}
		if written != 1000 {
			t.Errorf("%d frames reported as written, want 1000", written)
		}
		end(a, b)
	})
}

func TestALongFrameLeavesWithItsLength(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		a, b := stream.NewLine(raw, stream.Limits{}), stream.NewLine(far, stream.Limits{})
		send(t, a, make([]byte, 60<<10), nil)
		collect(t, b, 1)
		if raw.Writes() != 1 {
			t.Errorf("a frame of 60 KiB took %d writes, want 1", raw.Writes())
		}
		end(a, b)
	})
}

func TestFullQueueRefusesAndRecovers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		a := stream.NewLine(raw, stream.Limits{QueueFrames: 3, QueueBytes: 100})
		send(t, a, make([]byte, 90), nil)
		if err := a.Send(make([]byte, 20), nil); !errors.Is(err, stream.ErrFull) {
			t.Errorf("over the bytes: %v, want ErrFull", err)
		}
		send(t, a, make([]byte, 5), nil)
		send(t, a, make([]byte, 5), nil)
		if err := a.Send(nil, nil); !errors.Is(err, stream.ErrFull) {
			t.Errorf("over the frames: %v, want ErrFull", err)
		}
		b := stream.NewLine(far, stream.Limits{})
		collect(t, b, 3)
		synctest.Wait()
		send(t, a, make([]byte, 1000), nil) // an empty queue takes one of any size
		collect(t, b, 1)
		end(a, b)
	})
}

func TestFrameOverTheLimitIsNotQueued(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		a := stream.NewLine(raw, stream.Limits{})
		if err := a.Send(make([]byte, stream.MaxFrame+1), nil); !errors.Is(err, stream.ErrTooLong) {
			t.Errorf("%v, want ErrTooLong", err)
		}
		a.Reset()
		<-a.Done()
		_ = far.Close()
	})
}

func TestStalledPeerLosesItsOwnLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, _ := streamtest.Pipe()
		a := stream.NewLine(raw, stream.Limits{Write: 20 * time.Second})
		begun := time.Now()
		errs := make(chan error, 2)
		send(t, a, []byte("never read"), func(err error) { errs <- err })
		synctest.Wait()
		send(t, a, []byte("behind it"), func(err error) { errs <- err })
		<-a.Done()
		if took := time.Since(begun); took != 20*time.Second {
			t.Errorf("the line ended after %v, want 20s", took)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("reported %v, want a deadline", err)
			}
		}
		if err := a.Send(nil, nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send after the end: %v, want net.ErrClosed", err)
		}
	})
}

func TestResetFailsWhatIsQueued(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, _ := streamtest.Pipe()
		a := stream.NewLine(raw, stream.Limits{})
		errs := make(chan error, 2)
		send(t, a, []byte("stuck"), func(err error) { errs <- err })
		synctest.Wait()
		send(t, a, []byte("queued"), func(err error) { errs <- err })
		a.Reset()
		<-a.Done()
		if first, second := <-errs, <-errs; first == nil || second == nil {
			t.Errorf("reported %v and %v, want errors", first, second)
		}
	})
}

func TestUnfinishedFrameHasATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		b := stream.NewLine(far, stream.Limits{Partial: 30 * time.Second})
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			<-time.After(40 * time.Second) // silence between frames is free
			_, _ = raw.Write([]byte{2, 'o', 'k'})
			for range 100 { // a byte now and then does not keep it
				if _, err := raw.Write([]byte{100}); err != nil {
					return
				}
				<-time.After(time.Second)
			}
		}()
		collect(t, b, 1)
		begun := time.Now()
		_, err := b.Receive(nil)
		if took := time.Since(begun); took != 30*time.Second || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("gave up after %v with %v, want 30s and a deadline", took, err)
		}
		<-b.Done()
		<-gone
	})
}

func TestEachFrameHasItsOwnTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		b := stream.NewLine(far, stream.Limits{Partial: 30 * time.Second})
		go func() {
			_, _ = raw.Write([]byte{2, 'a'})
			for range 10 { // each write ends one frame and begins the next
				<-time.After(20 * time.Second)
				_, _ = raw.Write([]byte{'b', 2, 'a'})
			}
			_ = raw.Reset()
		}()
		collect(t, b, 10)
		b.Reset()
		<-b.Done()
	})
}

func TestBadLengthsEndTheLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"oversized":     {binary.AppendUvarint(nil, stream.MaxFrame+1), stream.ErrTooLong},
		"huge":          {binary.AppendUvarint(nil, 1<<63), stream.ErrTooLong},
		"overflowing":   {bytes.Repeat([]byte{0xff}, 11), stream.ErrTooLong},
		"not shortest":  {[]byte{0x81, 0x00}, stream.ErrBadLength},
		"after a frame": {append([]byte{1, 'x'}, binary.AppendUvarint(nil, 1<<40)...), stream.ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				raw, far := streamtest.Pipe()
				b := stream.NewLine(far, stream.Limits{})
				go func() { _, _ = raw.Write(c.bytes) }()
				var err error
				for err == nil {
					_, err = b.Receive(nil)
				}
				if !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
				<-b.Done()
			})
		})
	}
}

// ledger is a Memory that says no above its limit.
type ledger struct{ held, most, limit int }

var errNoMemory = errors.New("no memory")

func (l *ledger) ReserveMemory(n int, _ uint8) error {
	if l.held+n > l.limit {
		return errNoMemory
	}
	l.held += n
	l.most = max(l.most, l.held)
	return nil
}

func (l *ledger) ReleaseMemory(n int) { l.held -= n }

func TestClaimedLengthAllocatesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		mem := &ledger{limit: 1 << 20}
		b := stream.NewLine(far, stream.Limits{Memory: mem})
		go func() {
			_, _ = raw.Write(binary.AppendUvarint(nil, stream.MaxFrame))
			_, _ = raw.Write(make([]byte, 3000))
			_ = raw.CloseWrite()
		}()
		if _, err := b.Receive(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v, want io.ErrUnexpectedEOF", err)
		}
		if mem.most > 8<<10 {
			t.Errorf("3 KB of a claimed 272 KiB made us hold %d bytes", mem.most)
		}
		b.Reset()
		<-b.Done()
	})
}

func TestRefusedMemoryEndsTheLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		b := stream.NewLine(far, stream.Limits{Memory: &ledger{limit: 32 << 10}})
		go func() {
			_, _ = raw.Write(binary.AppendUvarint(nil, 100_000))
			_, _ = raw.Write(make([]byte, 100_000))
		}()
		if _, err := b.Receive(nil); !errors.Is(err, errNoMemory) {
			t.Errorf("%v, want the ledger's error", err)
		}
		<-b.Done()
	})
}

func TestUnusedLineClosesItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		raw, far := streamtest.Pipe()
		begun := time.Now()
		a := stream.NewLine(raw, stream.Limits{Idle: time.Minute})
		b := stream.NewLine(far, stream.Limits{Idle: 90 * time.Second})
		time.AfterFunc(50*time.Second, func() { _ = a.Send([]byte("still here"), nil) })
		collect(t, b, 1)
		if _, err := b.Receive(nil); !errors.Is(err, io.EOF) {
			t.Errorf("%v, want io.EOF", err)
		}
		<-a.Done()
		if took := time.Since(begun); took < 110*time.Second || took > 112*time.Second {
			t.Errorf("closed after %v, want a minute after its last use at 50s", took)
		}
		if !a.Idled() || b.Idled() {
			t.Errorf("idled: %v and %v, want true and false", a.Idled(), b.Idled())
		}
		end(a, b)
	})
}

func TestKeptFrameIsNotOverwritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		frames := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 3000), 1, 60).Draw(rt, "frames")
		cuts := rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 20).Draw(rt, "cuts")
		var all []byte
		for _, f := range frames {
			all = append(binary.AppendUvarint(all, uint64(len(f))), f...)
		}
		raw, far := streamtest.Pipe()
		b := stream.NewLine(far, stream.Limits{})
		go func() {
			for i := 0; len(all) > 0; i++ {
				n := min(cuts[i%len(cuts)], len(all))
				_, _ = raw.Write(all[:n])
				all = all[n:]
			}
		}()
		var got [][]byte
		for len(got) < len(frames) {
			var err error
			if got, err = b.Receive(got); err != nil {
				rt.Fatal(err)
			}
		}
		for i, f := range frames {
			if !bytes.Equal(f, got[i]) {
				rt.Fatalf("frame %d differs", i)
			}
			if len(got[i]) > 0 && cap(got[i]) != len(got[i]) {
				rt.Fatalf("frame %d can be appended to over its neighbour", i)
			}
		}
		end(b)
	})
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{1, 'a', 0, 3, 'x'})
	f.Add(bytes.Repeat([]byte{0xff}, 20))
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, far := streamtest.Pipe()
		b := stream.NewLine(far, stream.Limits{})
		go func() {
			_, _ = raw.Write(data)
			_ = raw.CloseWrite()
		}()
		total := 0
		for {
			frames, err := b.Receive(nil)
			for _, frame := range frames {
				total += 1 + len(frame)
			}
			if err != nil {
				break
			}
		}
		if total > len(data) {
			t.Errorf("%d bytes in, %d out", len(data), total)
		}
		end(b)
	})
}

func send(t *testing.T, l *stream.Line, frame []byte, written func(error)) {
	t.Helper()
	if err := l.Send(frame, written); err != nil {
		t.Fatal(err)
	}
}

func collect(t *testing.T, l *stream.Line, n int) {
	t.Helper()
	for got := 0; got < n; {
		frames, err := l.Receive(nil)
		if err != nil {
			t.Fatalf("after %d of %d frames: %v", got, n, err)
		}
		got += len(frames)
	}
}

func end(lines ...*stream.Line) {
	for _, l := range lines {
		l.Reset()
		<-l.Done()
	}
}
