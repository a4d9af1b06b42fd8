// Package proof holds what stands in the place of a signature where many
// things are signed at once: a plain signature, or one signature over the root
// of a Merkle tree and the path to it.
//
//	plain   00 ‖ signature (64)
//	batch   01 ‖ size (2) ‖ signature (64) ‖ index (2) ‖ path (32 each)
//
// Numbers are big-endian. The tree is that of RFC 9162 section 2.1: a leaf is
// SHA-256(0 ‖ what a plain signature covers), a node SHA-256(1 ‖ left ‖
// right). The author signs size ‖ root. A proof stands alone: no other member
// of the batch is needed to verify it.
package proof
