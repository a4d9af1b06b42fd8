package message

import "math/bits"

// MinPadded is the length of the shortest padded content, in bytes.
const MinPadded = 256

// PaddedLen returns the length that n bytes are padded to: at least MinPadded,
// and what Padmé gives (Nikitin et al., "Reducing Metadata Leakage from
// Encrypted Files and Communication with PURBs", 2019), which costs at most 12 %
// and leaves log log n bits of the length visible.
func PaddedLen(n int) int {
	if n <= MinPadded {
		return MinPadded
	}
	exponent := bits.Len(uint(n)) - 1
	kept := bits.Len(uint(exponent))
	mask := 1<<(exponent-kept) - 1
	return (n + mask) &^ mask
}

// unpaddedMax returns the largest length whose padded length is at most limit.
func unpaddedMax(limit int) int {
	exponent := bits.Len(uint(limit)) - 1
	kept := bits.Len(uint(exponent))
	return limit &^ (1<<(exponent-kept) - 1)
}
