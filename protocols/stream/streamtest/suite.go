package streamtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/tom-protocol/tom/protocols/stream"
)

// Raw is what the suite needs of a stream: a Line's, and to end one direction.
type Raw interface {
	stream.Raw
	CloseWrite() error
}

// Suite checks that a Line keeps its word over the streams that pair makes: the
// two ends of a new one each time. A stream that announces itself only with its
// first bytes may have pair write them.
func Suite(t *testing.T, pair func(t *testing.T) (a, b Raw)) {
	t.Run("FramesArriveWholeAndInOrder", func(t *testing.T) { framesArrive(t, pair) })
	t.Run("CloseWritesWhatIsQueued", func(t *testing.T) { closeFlushes(t, pair) })
	t.Run("ResetReachesTheOtherSide", func(t *testing.T) { resetArrives(t, pair) })
	t.Run("CloseFreesTheReader", func(t *testing.T) { closeFreesReader(t, pair) })
	t.Run("CutFrameIsNotTheEnd", func(t *testing.T) { cutFrame(t, pair) })
}

func framesArrive(t *testing.T, pair func(t *testing.T) (a, b Raw)) {
	a, b := lines(t, pair)
	sizes := []int{0, 1, 127, 128, 1000, 70_000, 16_383, 16_384, stream.MaxFrame, 5}
	var written sync.WaitGroup
	written.Add(len(sizes))
	for i, n := range sizes {
		frame := bytes.Repeat([]byte{byte(i)}, n)
		if err := a.Send(frame, func(err error) {
			if err != nil {
				t.Errorf("frame %d not written: %v", i, err)
			}
			written.Done()
		}); err != nil {
			t.Fatal(err)
		}
	}
	got := receive(t, b, len(sizes))
	for i, n := range sizes {
		if !bytes.Equal(got[i], bytes.Repeat([]byte{byte(i)}, n)) {
			t.Errorf("frame %d of %d bytes came as %d bytes", i, n, len(got[i]))
		}
	}
	written.Wait()
}

func closeFlushes(t *testing.T, pair func(t *testing.T) (a, b Raw)) {
	a, b := lines(t, pair)
	const frames = 100
	for i := range frames {
		if err := a.Send(bytes.Repeat([]byte{byte(i)}, 5000), nil); err != nil {
			t.Fatal(err)
		}
	}
	a.Close()
	if err := a.Send([]byte("late"), nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after Close: %v, want net.ErrClosed", err)
	}
	receive(t, b, frames)
	if _, err := b.Receive(nil); !errors.Is(err, io.EOF) {
		t.Errorf("after the last frame: %v, want io.EOF", err)
	}
	<-a.Done()
}

func resetArrives(t *testing.T, pair func(t *testing.T) (a, b Raw)) {
	a, b := lines(t, pair)
	a.Reset()
	<-a.Done()
	if _, err := b.Receive(nil); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("other side of a reset: %v, want an error that is not io.EOF", err)
	}
	<-b.Done()
}

func closeFreesReader(t *testing.T, pair func(t *testing.T) (a, b Raw)) {
	a, b := lines(t, pair)
	ended := make(chan error)
	go func() {
		_, err := a.Receive(nil)
		ended <- err
	}()
	a.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive on a line that this side closed: %v, want net.ErrClosed", err)
	}
	if _, err := b.Receive(nil); !errors.Is(err, io.EOF) {
		t.Errorf("other side of a closed line: %v, want io.EOF", err)
	}
}

func cutFrame(t *testing.T, pair func(t *testing.T) (a, b Raw)) {
	raw, far := pair(t)
	b := stream.NewLine(far, stream.Limits{})
	t.Cleanup(func() { b.Reset(); <-b.Done() })
	go func() {
		_, _ = raw.Write([]byte{3, 'a', 'b', 'c', 200, 1, 'x'})
		_ = raw.CloseWrite()
	}()
	if got := receive(t, b, 1); string(got[0]) != "abc" {
		t.Errorf("first frame %q", got[0])
	}
	if _, err := b.Receive(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut frame: %v, want io.ErrUnexpectedEOF", err)
	}
	_ = raw.Reset()
}

// lines makes a pair of lines that end with the test.
func lines(t *testing.T, pair func(t *testing.T) (a, b Raw)) (a, b *stream.Line) {
	t.Helper()
	rawA, rawB := pair(t)
	a, b = stream.NewLine(rawA, stream.Limits{}), stream.NewLine(rawB, stream.Limits{})
	t.Cleanup(func() {
		a.Reset()
		b.Reset()
		<-a.Done()
		<-b.Done()
	})
	return a, b
}

// receive returns the next n frames.
func receive(t *testing.T, l *stream.Line, n int) [][]byte {
	t.Helper()
	var frames [][]byte
	for len(frames) < n {
		var err error
		if frames, err = l.Receive(frames); err != nil {
			t.Fatalf("after %d of %d frames: %v", len(frames), n, err)
		}
	}
	return frames
}
