package weather

import "time"

// Of what is under way in one direction of a stream: so many pieces, of so many
// bytes at most. Who sends more waits, as for a long pipe that is full.
const (
	lanePieces = 256
	pieceSize  = 4 << 10
)

// lane is one direction of a stream. One goroutine puts in, one takes out.
type lane struct {
	delay  time.Duration
	pieces chan piece
	end    <-chan struct{} // closed: nothing goes in or comes out any more
}

// piece is some bytes, or the end of all.
type piece struct {
	due   time.Time
	bytes []byte
	err   error // after this one nothing comes; io.EOF where all is well
}

func newLane(delay time.Duration, end <-chan struct{}) *lane {
	return &lane{delay: delay, pieces: make(chan piece, lanePieces), end: end}
}

// put takes bytes over, and a last error. False: the lane has ended.
func (l *lane) put(bytes []byte, err error) bool {
	due := time.Now().Add(l.delay)
	for {
		p := piece{due: due, bytes: bytes, err: err}
		if len(bytes) > pieceSize {
			p = piece{due: due, bytes: bytes[:pieceSize]}
		}
		select {
		case l.pieces <- p:
		case <-l.end:
			return false
		}
		if bytes = bytes[len(p.bytes):]; len(bytes) == 0 {
			return true
		}
	}
}

// take returns the next piece when its time has come. False: the lane has ended,
// or late came first.
func (l *lane) take(late <-chan time.Time) (piece, bool) {
	select {
	case p := <-l.pieces:
		return p, l.hold(p.due)
	case <-l.end:
	case <-late:
	}
	return piece{}, false
}

// hold waits until a piece is due. False: the lane has ended.
func (l *lane) hold(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.end:
		return false
	}
}
