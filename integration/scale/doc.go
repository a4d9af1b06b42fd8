// Package scale runs many whole nodes in one process, on a simulated internet in
// virtual time: a quarter of them public, all others behind routers of their
// own. Any must find and reach any other by nothing but its peer id, and what
// all this costs is measured and printed: memory a node, and the traffic of the
// topic on which relays make themselves known.
//
// The tests run 100 nodes for six minutes; SOAK=1 has 100, 300 and 1 000 live for
// half an hour, or for SOAK_MINUTES.
package scale
