// Package stress is tomd stress: it puts load on daemons, breaks them, and tells
// what became of every message, as the sender's daemon sees it and as the other
// end does.
//
// By itself it runs daemons of its own (package fleet), real processes on loopback. Or
// it sends from the user's daemon to a listener on another machine; of the
// phases, those that must end and begin processes are left out then.
//
// A message carries a header of its own, so that the other end can tell what it
// is, whether it is whole, and whether it came before:
//
//	text/vnd.tom.stress         {"run":"…","from":"alice","to":"bob","n":17} and filling
//	text/vnd.tom.stress.ask     {"run":"…"}: what has come of this run?
//	text/vnd.tom.stress.counts  {"run":"…","received":…,"spans":[[1,17],[19,40]],…}
//
// Each phase is a file: what it does, and what must hold for it to pass. What is
// counted, compared and judged is pure (packages ledger,
// hist and verdict).
package stress
