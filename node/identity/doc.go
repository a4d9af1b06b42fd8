// Package identity keeps the secrets of a node: its Ed25519 key, its prekeys
// and its shred keys. No other package sees a private byte; they are handed a
// [protocols.Signer], and a [Vault] that agrees on keys, shreds and unshreds.
//
// # Files
//
// identity.key is the Ed25519 key in libp2p's marshalled form. The vault is a
// second small file beside it with everything that has to die:
//
//	"tom-vault" ‖ version (1) ‖ floor (8) ‖ made (8)
//	‖ count (2) ‖ count × [day (4) ‖ X25519 private (32)]
//	‖ count (2) ‖ count × [minute (4) ‖ shred key (32)]
//	‖ SHA-256 of all before (32)
//
// Integers are big-endian, times are milliseconds and minutes since the epoch.
// Both files have mode 0600 and are replaced as a whole: written beside, synced,
// renamed. What an erased file leaves in the old blocks of a disk is out of our
// hands; a copy of the directory does not contain it.
//
// # Shred keys
//
// A database erases nothing when it deletes, so bodies are sealed there under
// the shred key of the minute in which they end, and ending means dropping the
// key. One key a minute, not one an hour: a key can only die once everything
// under it has ended, so its span is how late "gone" may come. A minute costs at
// most 1 461 keys, 52 KB, in the file. They are made sixteen at a time, so that
// messages with lifetimes of their own do not cost a synced rewrite each.
package identity
