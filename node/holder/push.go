package holder

import (
	"github.com/tom-protocol/tom/protocols/backup"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// pushWindow is how many envelopes are on their way to one recipient at once.
const pushWindow = 64

// startPush sends mail to its recipient, unless that is under way already.
func (s *Service) startPush(p backup.Push) {
	s.mu.Lock()
	_, busy := s.pushing[p.To]
	s.pushing[p.To] = struct{}{}
	s.mu.Unlock()
	if busy {
		return // what is not sent now is pushed again
	}
	s.spawn(func() {
		s.push(p)
		s.mu.Lock()
		delete(s.pushing, p.To)
		s.mu.Unlock()
	})
}

func (s *Service) push(p backup.Push) {
	free := make(chan error, pushWindow)
	for range pushWindow {
		free <- nil
	}
	for _, d := range p.Digests {
		select {
		case err := <-free:
			if err != nil {
				return
			}
		case <-s.ctx.Done():
			return
		}
		if s.pushOne(p, d, free) != nil {
			return
		}
	}
}

func (s *Service) pushOne(p backup.Push, d envelope.Digest, free chan<- error) error {
	encoded, err := s.Disk.KeptBytes(d)
	if err != nil { // it was delivered meanwhile
		free <- nil
		return nil
	}
	s.count.pushed()
	return s.Lines.SendEnvelope(p.To, encoded, func(err error) { free <- err })
}
