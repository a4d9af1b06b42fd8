// Package envelope seals a message for one recipient, signs it, and carries it
// through relays that can read neither. An envelope is a MessagePack array:
//
//	0 version   uint      1
//	1 id        bin 16    UUIDv7, made by the author
//	2 from      bin 32    the author's Ed25519 key
//	3 to        bin 32    the recipient's
//	4 created   uint      ms since the epoch
//	5 lifetime  uint      seconds, 1 to 86 400
//	6 key       bin 41    suite ‖ prekey id (8) ‖ ephemeral X25519 key (32)
//	7 body      bin       nonce (24) ‖ XChaCha20-Poly1305 ciphertext
//	8 proof     bin       over the exact bytes of fields 0 to 7
//	9 via       array     relays still to pass, at most 4
//	10 hops     uint      relays passed
//
// Fields 0 to 6 are the additional data of the ciphertext, so nobody can strip
// a signature and put in an own one. Fields 9 and 10 belong to the path, not to
// the message: one sealing and one signature serve every path.
//
// Fields 0 to 7 are only taken in MessagePack's shortest form: one envelope then
// has one encoding and one digest, and nothing hinges on what a lenient reader
// makes of an odd one. A lifetime of zero is refused, as it has no end to come.
//
// The order on receipt is Parse, Verifier.Verify, CheckTime, the duplicate
// window, Opener.Open. Nothing of an envelope that does not verify may change
// any state.
package envelope

//go:generate go tool -modfile=../../.ci/tools/go.mod msgp -unexported -io=false -tests=false -file wire.go -o wire_gen.go
