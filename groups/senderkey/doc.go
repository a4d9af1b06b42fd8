// Package senderkey encrypts what members of a group write: every author has a
// chain of keys, gives its state once to each member, and uses one key a
// message.
//
//	message key = HMAC-SHA256(state, 01)
//	next state  = HMAC-SHA256(state, 02)
//
// Neither side keeps a state or key that it has used, so whoever takes a device
// opens nothing that was already opened on it. A chain is bound to the roster it
// was made for, and ends with it: after a leave or kick, 24 h or 10 000 messages
// the author begins another.
//
// Sending and Ring hold keys and are to be kept where secrets can be destroyed;
// what must be on disk before a message leaves, or an opened one is shown, is in
// their State.
package senderkey
