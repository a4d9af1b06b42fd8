package localapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The request bodies that are no type of the package's own.
type (
	connectRequest struct {
		Target string `json:"target"`
	}
	contactRequest struct {
		Target string `json:"target,omitempty"`
		Name   string `json:"name"`
	}
	readRequest struct {
		Cursors List[Cursor] `json:"cursors"`
	}
	levelRequest struct {
		Level string `json:"level"`
	}
	empty struct{}
)

// maxMarked bounds one request to mark messages read.
const maxMarked = 4096

func connect(s *Server, r *http.Request) (any, error) {
	var body connectRequest
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	return s.cfg.Backend.Connect(r.Context(), body.Target)
}

func send(s *Server, r *http.Request) (any, error) {
	var m Outgoing
	if err := decode(r.Body, &m); err != nil {
		return nil, err
	}
	if _, err := m.Bytes(); err != nil {
		return nil, Errorf(CodeBadRequest, "the body is not what its encoding says: %v", err)
	}
	if m.Type == "" {
		m.Type = DefaultType
	}
	return s.cfg.Backend.Send(r.Context(), m)
}

func markRead(s *Server, r *http.Request) (any, error) {
	var body readRequest
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	if len(body.Cursors) > maxMarked {
		return nil, Errorf(CodeBadRequest, "at most %d cursors at once", maxMarked)
	}
	return empty{}, s.cfg.Backend.MarkRead(r.Context(), body.Cursors)
}

func addContact(s *Server, r *http.Request) (any, error) {
	var body contactRequest
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	return s.cfg.Backend.AddContact(r.Context(), body.Target, body.Name)
}

func renameContact(s *Server, r *http.Request) (any, error) {
	var body contactRequest
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	return s.cfg.Backend.RenameContact(r.Context(), r.PathValue("id"), body.Name)
}

func mute(muted bool) handler {
	return func(s *Server, r *http.Request) (any, error) {
		return s.cfg.Backend.Mute(r.Context(), r.PathValue("id"), muted)
	}
}

func setLogLevel(s *Server, r *http.Request) (any, error) {
	var body levelRequest
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	if s.cfg.SetLogLevel == nil {
		return nil, Errorf(CodeRefused, "this program does not let its log level be set")
	}
	return empty{}, s.cfg.SetLogLevel(body.Level)
}

// serveStop answers at once that the stop has begun, and ends the answer when
// the daemon has ended: who reads to its end knows that the data directory is
// free.
func (s *Server) serveStop(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Stop == nil {
		replyError(w, Errorf(CodeRefused, "this program does not let itself be stopped"))
		return
	}
	s.cfg.Stop()
	reply(w, http.StatusAccepted, empty{})
	if http.NewResponseController(w).Flush() != nil {
		return
	}
	// Not the request's context: that one ends while the backend still does.
	<-s.closed
}

// message answers how far a message has come, at once or when it has come as
// far as asked.
func message(s *Server, r *http.Request) (any, error) {
	q := r.URL.Query()
	want := State(q.Get("wait"))
	if want == "" {
		return s.cfg.Backend.Message(r.Context(), r.PathValue("id"))
	}
	if !slices.Contains(progress, want) {
		return nil, Errorf(CodeBadRequest, "no message waits for %q", want).WithHint("wait for one of %v", progress)
	}
	timeout, err := waitTime(q, "timeout")
	if err != nil {
		return nil, err
	}
	var m Message
	err = s.waiting(r, timeout, func(ctx context.Context) (err error) {
		m, err = s.wait(ctx, r.PathValue("id"), want, timeout)
		return err
	})
	return m, err
}

// maxWait is how long one request may wait; the client asks again.
const maxWait = time.Minute

// waitTime reads for how long a request may wait.
func waitTime(q url.Values, name string) (time.Duration, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, Errorf(CodeBadRequest, "%s %q is no duration", name, text).WithHint("say 30s, for example")
	}
	return min(d, maxWait), nil
}

// waiting gives a request that waits one of the places for such, and a context
// that ends with the server.
func (s *Server) waiting(r *http.Request, wait time.Duration, f func(ctx context.Context) error) error {
	if wait == 0 {
		return f(r.Context())
	}
	if !s.takeSlot() {
		return errTooMany()
	}
	defer s.freeSlot()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.streams, cancel)()
	err := f(ctx)
	if err != nil && s.streams.Err() != nil {
		return errStopping()
	}
	return err
}

// wait subscribes before it looks, so no state passes between the two.
func (s *Server) wait(ctx context.Context, id string, want State, timeout time.Duration) (Message, error) {
	wake, cancel := s.cfg.Backend.Subscribe()
	defer cancel()
	late := time.NewTimer(timeout)
	defer late.Stop()
	for {
		m, err := s.cfg.Backend.Message(ctx, id)
		if err != nil || m.State.settled(want) {
			return m, err
		}
		select {
		case <-wake:
		case <-late.C:
			return m, nil
		case <-ctx.Done():
			return m, ctx.Err()
		}
	}
}

// inbox reads the cursors before the rows and leaves out what came in between:
// that is in the events after the page's cursor, once.
func inbox(s *Server, r *http.Request) (any, error) {
	q, err := parseInboxQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	oldest, newest, err := s.cfg.Backend.Cursors(r.Context())
	if err != nil {
		return nil, err
	}
	page := InboxPage{Cursor: newest}
	if q.Since != 0 && (q.Since < oldest || q.Since > newest) {
		page.Gap, q.Since = true, 0
	}
	if page.Messages, page.More, err = s.cfg.Backend.Inbox(r.Context(), q); err != nil {
		return nil, err
	}
	for n := len(page.Messages); n > 0 && page.Messages[n-1].Cursor > newest; n-- {
		page.Messages, page.More = page.Messages[:n-1], false
	}
	if page.More {
		page.Cursor = page.Messages[len(page.Messages)-1].Cursor
	}
	return page, nil
}

func parseInboxQuery(v url.Values) (InboxQuery, error) {
	since, err := parseCursor(v.Get("since"))
	if err != nil {
		return InboxQuery{}, err
	}
	q := InboxQuery{Since: since, Unread: v.Get("unread") == "true", Requests: v.Get("requests") == "true"}
	q.Limit, err = pageLimit(v, DefaultPage)
	return q, err
}

// pageLimit is how many rows a request asks for: usual, if it does not say, and
// MaxPage at most.
func pageLimit(v url.Values, usual int) (int, error) {
	text := v.Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, Errorf(CodeBadRequest, "limit %q is no number above 0", text)
	}
	return min(n, MaxPage), nil
}

func parseCursor(text string) (Cursor, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, Errorf(CodeBadRequest, "cursor %q is no number", text).WithHint("use a cursor from an earlier answer")
	}
	return Cursor(n), nil
}
