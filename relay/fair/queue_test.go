package fair

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tom-protocol/tom/protocols"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func peer(n int) protocols.Key { return protocols.Key{byte(n), byte(n >> 8), 1} }

var small = Limits{Flight: 16, FlightBytes: 16 << 10, Waiting: 100, WaitingBytes: 1 << 20}

func TestNobodyWaitsWhileThereIsRoom(t *testing.T) {
	t.Parallel()
	q := New[int](small)
	for i := range small.Flight {
		if out := q.Push(Job{Line: peer(i), Stranger: i%2 == 1, Weight: 1, Size: 100, At: start}, i); len(out) > 0 {
			t.Fatalf("put out %v", out)
		}
		if v, _, ok := q.Pop(); !ok || v != i {
			t.Fatalf("%d waits", i)
		}
	}
	q.Push(Job{Line: peer(99), Weight: 1, Size: 100, At: start}, 99)
	if _, _, ok := q.Pop(); ok {
		t.Error("one more than there is room for")
	}
	if q.Load() != 1 {
		t.Errorf("load %v", q.Load())
	}
}

// serve keeps lines of the given jobs full and counts the bytes of each over so
// many turns, in a queue with one place in flight.
func serve(turns int, jobs ...Job) []int {
	q := New[int](Limits{Flight: 1, FlightBytes: 1 << 20, Waiting: 1000, WaitingBytes: 1 << 30})
	got := make([]int, len(jobs))
	for i, j := range jobs {
		for range 20 {
			q.Push(j, i)
		}
	}
	for range turns {
		i, j, _ := q.Pop()
		q.Done(j)
		got[i] += j.Size
		q.Push(jobs[i], i)
	}
	return got
}

func TestTurnsGoByWeightWhateverTheSizes(t *testing.T) {
	t.Parallel()
	got := serve(3000,
		Job{Line: peer(1), Weight: 1, Size: 1000},
		Job{Line: peer(2), Weight: 2, Size: 200},
		Job{Line: peer(3), Weight: 4, Size: 500})
	for i, want := range []float64{1, 2, 4} {
		if share := float64(got[i]) / float64(got[0]); share < 0.95*want || share > 1.05*want {
			t.Errorf("bytes %v; want shares 1 : 2 : 4", got)
		}
	}
}

func TestStrangersTogetherGetATenthOfAContendedQueue(t *testing.T) {
	t.Parallel()
	jobs := []Job{{Line: peer(0), Weight: 1, Size: 100}}
	for i := range 8 {
		jobs = append(jobs, Job{Line: peer(i + 1), Stranger: true, Weight: 8, Size: 100})
	}
	got := serve(2000, jobs...)
	strange := 0
	for _, n := range got[1:] {
		strange += n
		if n < got[1]*9/10 || n > got[1]*11/10 {
			t.Errorf("strangers of one weight got %v", got[1:])
		}
	}
	if share := float64(strange) / float64(strange+got[0]); share < 0.08 || share > 0.12 {
		t.Errorf("strangers got %.3f of it", share)
	}
}

func TestStrangersAloneGetEverything(t *testing.T) {
	t.Parallel()
	got := serve(100, Job{Line: peer(1), Stranger: true, Weight: 1, Size: 100})
	if got[0] != 100*100 {
		t.Errorf("%d bytes in 100 turns of 100", got[0])
	}
}

func TestWhoeverWasAwayHasSavedNothingUp(t *testing.T) {
	t.Parallel()
	q := New[string](Limits{Flight: 1, FlightBytes: 1 << 20, Waiting: 100, WaitingBytes: 1 << 20})
	busy, idle := Job{Line: peer(1), Weight: 1, Size: 100}, Job{Line: peer(2), Weight: 1, Size: 100}
	turn := func() string {
		v, j, _ := q.Pop()
		q.Done(j)
		return v
	}
	for range 20 {
		q.Push(busy, "busy")
		turn()
	}
	var turns string
	for range 4 {
		q.Push(busy, "b")
		q.Push(idle, "i")
	}
	for range 8 {
		turns += turn()
	}
	for i := 0; i < len(turns); i += 2 {
		if turns[i] == turns[i+1] {
			t.Errorf("turns %s", turns)
		}
	}
}

func TestOneEnvelopeAfterTheOtherIsNoWayAroundTheWeight(t *testing.T) {
	t.Parallel()
	q := New[int](Limits{Flight: 1, FlightBytes: 1 << 20, Waiting: 1000, WaitingBytes: 1 << 20})
	heavy, sly := Job{Line: peer(0), Weight: 8, Size: 100}, Job{Line: peer(1), Weight: 1, Size: 100}
	for range 500 {
		q.Push(heavy, 0)
	}
	q.Push(sly, 1)
	turns := 0
	for range 450 {
		v, j, _ := q.Pop()
		q.Done(j)
		if v == 1 {
			turns++
			q.Push(sly, 1)
		}
	}
	if turns > 450/9+2 {
		t.Errorf("it got %d of 450 turns at an eighth of the weight", turns)
	}
}

func TestMemoryOfWhoWasServedIsBounded(t *testing.T) {
	t.Parallel()
	q := New[int](small)
	for i := range 50 {
		q.Push(Job{Line: peer(0), Weight: 8, Size: 1, At: start}, i)
	}
	for i := range 5000 {
		q.Push(Job{Line: peer(i + 1), Weight: 0.125, Size: 1000}, i)
		_, j, ok := q.Pop()
		if ok {
			q.Done(j)
		}
	}
	if n := len(q.classes[0].lines); n > 2*small.Waiting {
		t.Errorf("%d lines", n)
	}
}

func TestFullQueuePutsOutTheLineFurthestOverItsShare(t *testing.T) {
	t.Parallel()
	q := New[string](Limits{Flight: 1, FlightBytes: 1, Waiting: 110, WaitingBytes: 1 << 20})
	for i := range 90 {
		q.Push(Job{Line: peer(1), Weight: 1, Size: 100}, fmt.Sprintf("flood %d", i))
	}
	for i := range 9 {
		q.Push(Job{Line: peer(2), Weight: 1, Size: 100}, fmt.Sprintf("quiet %d", i))
	}
	out := q.Push(Job{Line: peer(2), Weight: 1, Size: 100}, "quiet 9")
	if len(out) != 1 || out[0] != "flood 89" {
		t.Errorf("put out %v; want the newest of the flood", out)
	}
	out = q.Push(Job{Line: peer(1), Weight: 1, Size: 100}, "flood 90")
	if len(out) != 1 || out[0] != "flood 90" {
		t.Errorf("put out %v; want what the flood brought", out)
	}
}

func TestStrangersFillATenthOfThePlaces(t *testing.T) {
	t.Parallel()
	q := New[int](small)
	out := 0
	for i := range 1000 {
		out += len(q.Push(Job{Line: peer(i), Stranger: true, Weight: 1, Size: 10}, i))
	}
	if q.Waiting() != small.Waiting/10 || out != 1000-small.Waiting/10 {
		t.Errorf("%d wait, %d were put out", q.Waiting(), out)
	}
	if out := q.Push(Job{Line: peer(5000), Weight: 1, Size: 10}, 0); len(out) > 0 {
		t.Errorf("a friend found no place: %v", out)
	}
}

func TestStrangersHoldHalfOfTheFlightAndOneLineAQuarterOfThat(t *testing.T) {
	t.Parallel()
	q := New[int](small)
	var mine int
	for range 10 {
		q.Push(Job{Line: peer(1), Stranger: true, Weight: 1, Size: 10, At: start}, 1)
	}
	for {
		_, j, ok := q.Pop()
		if !ok {
			break
		}
		if j.Line == peer(1) {
			mine++
		}
	}
	if mine != small.Flight/2/4 {
		t.Errorf("one stranger has %d in flight", mine)
	}
	for i := range 20 {
		q.Push(Job{Line: peer(i + 2), Stranger: true, Weight: 1, Size: 10, At: start}, 1)
		q.Pop()
	}
	if n, _ := q.Flying(); n != small.Flight/2 {
		t.Errorf("strangers have %d in flight", n)
	}
	q.Push(Job{Line: peer(99), Weight: 1, Size: 10}, 99)
	if v, _, ok := q.Pop(); !ok || v != 99 {
		t.Error("a friend waits for strangers")
	}
}

func TestWhatWaitsTooLongIsSweptOut(t *testing.T) {
	t.Parallel()
	q := New[int](Limits{Flight: 1, FlightBytes: 1, Waiting: 100, WaitingBytes: 1 << 20})
	for i := range 10 {
		q.Push(Job{Line: peer(i % 3), Weight: 1, Size: 1, At: start.Add(time.Duration(i) * time.Second)}, i)
	}
	out := q.Sweep(start.Add(4 * time.Second))
	if len(out) != 4 || q.Waiting() != 6 {
		t.Errorf("swept %v, %d wait", out, q.Waiting())
	}
}

// Whatever comes and goes: nothing is lost, nothing over the bounds, and an
// empty queue holds nothing.
func TestQueueKeepsItsBooks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := Limits{Flight: 4, FlightBytes: 400, Waiting: 20, WaitingBytes: 1500}
		q := New[int](l)
		var flying []Job
		in, gone := 0, 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				in++
				gone += len(q.Push(Job{
					Line: peer(rapid.IntRange(0, 5).Draw(t, "line")), Stranger: rapid.Bool().Draw(t, "stranger"),
					Weight: rapid.SampledFrom([]float64{0.125, 1, 8}).Draw(t, "weight"), Size: rapid.IntRange(1, 500).Draw(t, "size"),
				}, in))
			case 2:
				if _, j, ok := q.Pop(); ok {
					flying = append(flying, j)
					gone++
				}
			case 3:
				if len(flying) > 0 {
					q.Done(flying[0])
					flying = flying[1:]
				}
			}
			n, bytes := q.Flying()
			if n != len(flying) || n > l.Flight || bytes > l.FlightBytes && n > 1 {
				t.Fatalf("%d in flight with %d bytes; there should be %d", n, bytes, len(flying))
			}
			if q.Waiting() != in-gone || q.Waiting() > l.Waiting {
				t.Fatalf("%d wait; there should be %d", q.Waiting(), in-gone)
			}
		}
		for {
			if _, j, ok := q.Pop(); ok {
				flying = append(flying, j)
				continue
			}
			if len(flying) == 0 {
				break
			}
			q.Done(flying[0])
			flying = flying[1:]
		}
		if n, bytes := q.Flying(); n+bytes+q.Waiting()+len(q.flight)+len(q.classes[0].lines)+len(q.classes[1].lines) != 0 {
			t.Fatal("something is left")
		}
	})
}
