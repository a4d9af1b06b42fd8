package weather

import "encoding/binary"

// sieve takes single frames out of one direction of a stream. The zero value
// with a drop works.
type sieve struct {
	drop func() bool // asked once for each frame

	head  []byte // the length that has begun
	left  int    // bytes of the frame at hand that are still to come
	lost  bool   // they go nowhere
	blind bool   // no lengths are to be seen any more: all passes, the line will judge
}

// sift appends to dst what of p goes on.
func (s *sieve) sift(dst, p []byte) []byte {
	for len(p) > 0 {
		if s.blind {
			return append(dst, p...)
		}
		if s.left == 0 {
			dst = s.begin(dst, p[0])
			p = p[1:]
			continue
		}
		n := min(s.left, len(p))
		if !s.lost {
			dst = append(dst, p[:n]...)
		}
		s.left -= n
		p = p[n:]
	}
	return dst
}

// begin takes one byte of a length. The whole length goes on with its frame.
func (s *sieve) begin(dst []byte, b byte) []byte {
	s.head = append(s.head, b)
	if b >= 0x80 && len(s.head) < binary.MaxVarintLen64 {
		return dst
	}
	size, n := binary.Uvarint(s.head)
	s.blind = n <= 0 || size > 1<<30
	s.lost = !s.blind && s.drop()
	if !s.lost {
		dst = append(dst, s.head...)
	}
	if !s.blind {
		s.left = int(size)
	}
	s.head = s.head[:0]
	return dst
}
