// Package store keeps what a node must not forget: messages to send and
// messages received, how each stands, whom the node knows, and the numbered
// list of what changed.
//
// # Writing
//
// One goroutine, the committer, takes everything that is queued, applies it as
// one batch with at most one sync, and then calls each done, in the order in
// which the writes were queued. Nothing waits for a batch to fill: what is
// queued when the committer is free is the batch. What a done without error
// spoke of survives a crash; what it did not is there whole or not at all.
//
// # Rows
//
//	o id                  an outgoing message that is not final, content under its shred key
//	e id                  its envelope, if it was sealed only after it was accepted
//	s id                  how an outgoing message stands; none until its first change
//	i cursor              a received message, content under its shred key
//	r cursor              when it was read
//	w from id             the duplicate window: digest and cursor
//	v last cursor         the events of one commit
//	x minute serial       the keys of rows that end in that minute
//	p reference           a signed receipt
//	c, t, k, a key        contacts, correspondents, prekey records, admissions
//	b key                 the bytes a stranger takes in the inbox
//	h digest              a copy kept for its recipient, its bytes under their shred key
//	l digest              who else holds it
//	g digest              what stays of a copy that its recipient's receipt ended
//	m name                small settings, among them the version of this layout
//	n                     counters, written with every commit
//
// Bodies are sealed under a key that is destroyed in the minute they end in, so
// that an ended one cannot be read from any copy of the disk; the rows
// themselves leave when Expire next runs.
package store
