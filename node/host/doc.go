// Package host builds the libp2p host a node lives on: QUIC first and TCP as a
// fallback, on IPv4 and IPv6, all on one port; limits set for a device that is
// client and relay at once; metrics in a registry of its own.
//
// It prints nothing. Two libraries below it write to Go's standard logger by
// themselves: quic-go about socket buffers, which is avoided here, and the UPnP
// client about malformed answers of routers, which the program that owns the
// standard logger may redirect.
package host
