// Package localapi is how a user's programs talk to the daemon on the same
// machine: HTTP with JSON under /v1/ on a unix socket in the data directory
// (0600), on a TCP address only with a token.
//
// [Backend] is what the daemon offers, [Server] serves it by one table of
// routes, [Client] is the typed other side. All three speak in the JSON types
// of this package; it imports nothing of libp2p, so a client stays small.
//
// Every change a program can see has an event number, a [Cursor]: durable,
// growing, kept for 24 h. Who was away asks for what came after the last
// cursor it saw; one too old is told so ("gap") and gets the current state.
package localapi
