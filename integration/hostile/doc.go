// Package hostile sets a bare go-libp2p peer that speaks our protocols, and
// lies, on nodes that run. Whatever it does, nothing of theirs may change but
// counters, nothing may grow without bound, and honest traffic goes on.
package hostile
