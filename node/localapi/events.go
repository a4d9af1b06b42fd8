package localapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Sizes of an event stream.
const (
	eventBatch = 64               // events read at once
	keepAlive  = 15 * time.Second // a comment goes out so often, to notice who has gone
)

func (s *Server) takeSlot() bool {
	select {
	case s.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *Server) freeSlot() { <-s.slots }

func errTooMany() error {
	return Errorf(CodeBusy, "%d programs wait for events already", maxStreams).WithHint("end one of them")
}

// serveEvents streams events after ?since, or after the Last-Event-ID header,
// which a resuming EventSource sends; without either only those to come.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	since, err := eventsSince(r)
	if err != nil {
		replyError(w, err)
		return
	}
	if !s.takeSlot() {
		replyError(w, errTooMany())
		return
	}
	defer s.freeSlot()
	wake, cancel := s.cfg.Backend.Subscribe()
	defer cancel()
	oldest, newest, err := s.cfg.Backend.Cursors(r.Context())
	if err != nil {
		replyError(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	feed := feed{backend: s.cfg.Backend, out: out, at: since}
	switch {
	case since == Latest:
		feed.at = newest
	case since < oldest || since > newest:
		err = feed.fillGap(r.Context(), oldest)
	}
	if err == nil {
		// The answer ends when the other side goes or the daemon does; there
		// is nobody left to tell why.
		_ = feed.run(r.Context(), wake, s.streams.Done())
	}
}

func eventsSince(r *http.Request) (Cursor, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("since")
	}
	if text == "" {
		return Latest, nil
	}
	return parseCursor(text)
}

// feed brings the events after at to out.
type feed struct {
	backend Backend
	out     *eventWriter
	at      Cursor
}

// run returns when ctx or stop ends, or a write does not get through.
func (f *feed) run(ctx context.Context, wake, stop <-chan struct{}) error {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		if err := f.drain(ctx); err != nil {
			return err
		}
		if err := f.out.flush(); err != nil {
			return err
		}
		select {
		case <-wake:
		case <-tick.C:
			err := f.out.comment()
			if err != nil {
				return err
			}
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drain writes all events there are.
func (f *feed) drain(ctx context.Context) error {
	for {
		events, err := f.backend.Events(ctx, f.at, eventBatch)
		if err != nil || len(events) == 0 {
			return err
		}
		for i := range events {
			if err := f.out.write(&events[i]); err != nil {
				return err
			}
			f.at = events[i].Cursor
		}
	}
}

// fillGap writes what takes the place of events that are gone: the status, and
// the inbox from before the oldest event. The events follow.
func (f *feed) fillGap(ctx context.Context, oldest Cursor) error {
	status, err := f.backend.Status(ctx)
	if err != nil {
		return err
	}
	if err := f.out.write(&Event{Gap: true, Status: &status}); err != nil {
		return err
	}
	q := InboxQuery{Limit: DefaultPage}
	for more := true; more; {
		var rows []Received
		if rows, more, err = f.backend.Inbox(ctx, q); err != nil {
			return err
		}
		for i := range rows {
			if rows[i].Cursor > oldest {
				more = false
				break
			}
			if err := f.out.write(receivedEvent(&rows[i])); err != nil {
				return err
			}
			q.Since = rows[i].Cursor
		}
	}
	f.at = oldest
	return nil
}

func receivedEvent(m *Received) *Event {
	return &Event{Cursor: m.Cursor, Kind: EventReceived, At: m.Received, ID: m.ID, Peer: m.From, Message: m}
}

// eventWriter writes server-sent events. Each write has a deadline of its own:
// who does not read loses its stream, nobody waits for it.
type eventWriter struct {
	w       io.Writer
	control *http.ResponseController
}

func (e *eventWriter) write(event *Event) error {
	data, err := marshal(event)
	if err != nil {
		return err
	}
	if event.Gap {
		return e.print("event: gap\ndata: %s\n\n", data)
	}
	return e.print("id: %d\nevent: %s\ndata: %s\n\n", event.Cursor, event.Kind, data)
}

func (e *eventWriter) comment() error { return e.print(":\n\n") }

func (e *eventWriter) print(format string, args ...any) error {
	e.renew()
	_, err := fmt.Fprintf(e.w, format, args...)
	return err
}

func (e *eventWriter) flush() error {
	e.renew()
	return e.control.Flush()
}

func (e *eventWriter) renew() { _ = e.control.SetWriteDeadline(time.Now().Add(bodyTimeout)) }
