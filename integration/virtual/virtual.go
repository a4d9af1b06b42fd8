// Package virtual is how tests let time go by: in a bubble of testing/synctest,
// where it costs nothing and everything that becomes due is done before the test
// goes on. Outside one its functions panic, so no test waits by the wall clock.
package virtual

import (
	"testing"
	"testing/synctest"
	"time"
)

// Pass lets time go by, and what happens meanwhile be done. Only one goroutine of
// a bubble may call it at a time: whatever else is to come later is a time.AfterFunc.
func Pass(d time.Duration) {
	synctest.Wait()
	time.Sleep(d)
	synctest.Wait()
}

// Until lets time go by in steps until something has come about, and fails the test
// if it has not within the time. It returns how long that took, to a step.
func Until(t testing.TB, within, step time.Duration, what string, done func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for !done() {
		if time.Since(begun) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
		Pass(step)
	}
	return time.Since(begun)
}
