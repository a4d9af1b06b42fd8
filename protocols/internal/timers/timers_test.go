package timers_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols/internal/timers"
)

func TestTimersFireInOrderAndOnce(t *testing.T) {
	t.Parallel()
	var s timers.Set
	var fired []string
	start := time.Unix(1000, 0)
	all := map[string]*timers.Timer{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		all[name] = &timers.Timer{Fire: func(time.Time) { fired = append(fired, name) }}
	}
	s.Arm(all["b"], start.Add(2))
	s.Arm(all["a"], start.Add(2)) // as b, but armed after it
	s.Arm(all["c"], start.Add(1))
	s.Arm(all["d"], start.Add(9))
	s.Hasten(all["d"], start.Add(3))
	s.Hasten(all["d"], start.Add(8)) // no later than it is
	s.Arm(all["e"], start)
	s.Stop(all["e"])
	s.Stop(all["e"])
	if got := s.Next(); !got.Equal(start.Add(1)) || all["e"].Armed() || !all["d"].At().Equal(start.Add(3)) {
		t.Errorf("next %v, d at %v", got, all["d"].At())
	}
	s.Run(start.Add(2))
	s.Run(start.Add(10))
	if want := []string{"c", "b", "a", "d"}; !reflect.DeepEqual(fired, want) {
		t.Errorf("fired %v, want %v", fired, want)
	}
	if !s.Next().IsZero() {
		t.Error("something is armed still")
	}
}
