// Package bot answers messages without a person, in talks between two and in
// groups: it echoes them, or has a command say what to answer.
//
//	daemon ── unread ─► queue, a line for each talk ─► worker: command ─┐
//	  ▲  ▲                                                              │
//	  │  └──────────── answer, under an id made from the message's ─────┤
//	  └─────────────── mark as read ────────────────────────────────────┘
//
// # Once
//
// The bot keeps nothing itself. What is unread is to be answered; what is answered
// is marked as read. Between the two anything may crash, the bot or the daemon:
// then the message is still unread, but its answer has an id that is made from the
// message's alone, and the daemon sends what has the same id once. So each message
// is answered once. A command may run twice for it, but only if the first one's
// answer was never accepted.
//
// What a person reads meanwhile by the same daemon is not unread, and is not
// answered.
//
// # No loops
//
// Answers have a content type of their own, which no bot answers.
//
// # Bounds
//
// One message of a talk is at work at a time, in the order they came, and so many
// of all talks, by turns: who writes much waits for itself. What is not at work is
// known by its place only, and beyond some ten thousand of these it is left in the
// daemon until there is room.
package bot
