package envelope

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIDsAscendWithinAMillisecond(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_790_000_000_123)
	var s idSource
	last := s.next(uint64(at.UnixMilli()))
	for range 10_000 {
		id := s.next(uint64(at.UnixMilli()))
		if bytes.Compare(last[:], id[:]) >= 0 {
			t.Fatalf("%v after %v", id, last)
		}
		last = id
	}
}

func TestIDsAreUUIDv7(t *testing.T) {
	t.Parallel()
	for range 1000 {
		id := NewID(time.UnixMilli(0x0123456789ab))
		if !bytes.HasPrefix(id[:], []byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab}) {
			t.Fatalf("%v does not begin with its time", id)
		}
		if id[6]>>4 != 7 || id[8]>>6 != 2 {
			t.Fatalf("%v is not of version 7", id)
		}
	}
}

func TestIDsCarryIntoTheUpperBits(t *testing.T) {
	t.Parallel()
	s := idSource{low: 1<<lowBits - 1}
	before := s.id()
	s.step(1)
	after := s.id()
	if bytes.Compare(before[:], after[:]) >= 0 || after[6]>>4 != 7 || after[8]>>6 != 2 {
		t.Errorf("%v after %v", after, before)
	}
}

func TestIDTextBothWays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if got, err := ParseID(id.String()); err != nil || got != id {
			t.Fatalf("%v became %v, %v", id, got, err)
		}
	})
	for _, s := range []string{
		"", "x", "01890a5dac96774bbcceb302099a8057", "01890a5d-ac96-774b-bcce-b302099a805",
		"01890a5d-ac96-774b-bcce-b302099a80577", "01890a5d-ac96-774b-bcce-b302099a805g", "01890a5d+ac96-774b-bcce-b302099a8057",
	} {
		if id, err := ParseID(s); err == nil {
			t.Errorf("%q is %v", s, id)
		}
	}
}
