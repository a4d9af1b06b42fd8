// Package keytable verifies signatures of keys that come again and again, as those of
// a group's hub and members do, in about half the time: it keeps multiples of such
// keys.
//
// It takes for good exactly the signatures that protocols.Network takes, by way of
// crypto/ed25519: among them none of which other verifiers say that it is good because
// they multiply by the cofactor.
package keytable
