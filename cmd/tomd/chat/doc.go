// Package chat is tomd chat: talks with people and groups on a whole terminal.
//
//	 alice               │ bob                                             online
//	─────────────────────┼─────────────────────────────────────────────────────────
//	   # friends       2 │ 14:03 bob   have you seen it?
//	 > bob               │ 14:04 alice not yet                               read
//	   carol           1 │ 14:04 alice tomorrow                 stored, 3 holders
//	                     │
//	─────────────────────┴─────────────────────────────────────────────────────────
//	 the text to be written
//	 F1 help  F2 my link  F3 about  F4 way of a message  Tab next  ^C quit
//
// What there is to know stands in a [state], which changes by [state.step] alone:
// what came in goes in, what is to be done comes out as values, and no clock,
// terminal or daemon is touched. [program] puts it under Bubble Tea; perform and
// follow speak with the daemon, over the local interface's client and nothing
// else.
//
// Words and names of others pass through package plain before they enter the
// state, so nothing they contain can steer a terminal.
package chat
