package localapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// handler answers a request with a JSON value or an error.
type handler func(s *Server, r *http.Request) (any, error)

// routes is the whole interface. A peer in a path or query is a petname, a
// peer id or a contact link, escaped as URLs demand.
var routes = []struct {
	pattern string
	handler handler
}{
	{"GET /v1/id", get(Backend.Identity)},
	{"GET /v1/status", get(Backend.Status)},
	{"GET /v1/peers", list(Backend.Peers)},
	{"GET /v1/peers/{id}/addrs", listOf(Backend.Find)}, // → [Found]: asks, for up to ten seconds
	{"GET /v1/peers/{id}", named(Backend.Measured)},    // → Measured
	{"POST /v1/connect", connect},                      // {"target"} → Peer
	{"GET /v1/relays", list(Backend.Relays)},
	{"GET /v1/mailbox", get(Backend.Mailbox)},
	{"GET /v1/doctor", get(Backend.Doctor)},

	{"POST /v1/messages", send},                               // Outgoing → Accepted
	{"GET /v1/messages/{id}", message},                        // ?wait=STATE&timeout=30s → Message
	{"GET /v1/messages/{id}/trace", named(Backend.Trace)},     // → Trace
	{"GET /v1/messages/{id}/receipt", named(Backend.Receipt)}, // → Receipt
	{"GET /v1/inbox", inbox},                                  // ?since&unread&requests&limit → InboxPage
	{"POST /v1/inbox/read", markRead},                         // {"cursors"} → {}

	{"GET /v1/talks", get(Backend.Talks)},
	{"GET /v1/talks/{id}", talk}, // ?before&limit → TalkPage

	{"GET /v1/contacts", list(Backend.Contacts)},
	{"POST /v1/contacts", addContact},                          // {"target","name"} → Contact
	{"PATCH /v1/contacts/{id}", renameContact},                 // {"name"} → Contact
	{"DELETE /v1/contacts/{id}", named(Backend.RemoveContact)}, // → Contact
	{"POST /v1/groups", with(createGroup)},                     // NewGroup → GroupRef
	{"GET /v1/groups", list(Backend.Groups)},
	{"GET /v1/groups/{id}", named(Backend.Group)},
	{"GET /v1/served", list(Backend.ServedGroups)},
	{"POST /v1/groups/{id}/invites", with(Backend.InviteToGroup)}, // NewInvite → Invite
	{"POST /v1/groups/{id}/records", with(Backend.SendToGroup)},   // GroupOutgoing → GroupSent
	{"GET /v1/groups/{id}/records/{record}", groupRecord},         // ?wait=STATE&timeout=30s → GroupSent
	{"GET /v1/groups/{id}/log", groupLog},                         // ?since&limit&wait=30s → [GroupRecord]
	{"POST /v1/groups/{id}/changes", with(Backend.ChangeGroup)},   // GroupChange → GroupSent
	{"POST /v1/groups/{id}/read", with(markGroupRead)},            // {"seq"} → {}
	{"GET /v1/invites", list(Backend.GroupInvites)},
	{"POST /v1/invites/join", with(joinGroup)}, // {"invite"} → GroupRef

	{"PUT /v1/muted/{id}", mute(true)},     // → Contact
	{"DELETE /v1/muted/{id}", mute(false)}, // → Contact
}

// routes makes the handler of all routes. Event streams the metrics and
// the stop write their answers themselves; stop and log need no backend.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range routes {
		mux.Handle(route.pattern, s.withBackend(s.serve(route.handler)))
	}
	mux.Handle("GET /v1/events", s.withBackend(http.HandlerFunc(s.serveEvents))) // ?since, Last-Event-ID → Event…
	mux.Handle("PUT /v1/log", s.serve(setLogLevel))                              // {"level"} → {}
	mux.Handle("GET /v1/metrics", s.withBackend(http.HandlerFunc(s.serveMetrics)))
	mux.HandleFunc("POST /v1/stop", s.serveStop) // ends when the daemon has ended
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		replyError(w, noRoute(mux, r))
	})
	return bound(mux)
}

// noRoute says what is wrong with a request that no route takes.
func noRoute(mux *http.ServeMux, r *http.Request) error {
	var allowed []string
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		return Errorf(CodeBadRequest, "%s takes no %s", r.URL.Path, r.Method).WithHint("it takes %s", strings.Join(allowed, ", "))
	}
	return Errorf(CodeNotFound, "there is no %s", r.URL.Path).WithHint("is the daemon as new as the program that asks?")
}

// bound limits what a request may carry and how long it may take to do so.
func bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		body, err := readBody(w, r)
		if err != nil {
			replyError(w, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// readBody reads it whole, so that its deadline can be lifted again: one left
// on the connection would end a request that waits.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	_ = control.SetReadDeadline(time.Time{})
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, Errorf(CodeTooLarge, "the request has more than %d bytes", tooLarge.Limit).
			WithHint("a message carries at most %d KiB", MaxBody>>10)
	}
	if err != nil {
		return nil, Errorf(CodeBadRequest, "the request's body ended early: %v", err)
	}
	return body, nil
}

// withBackend lets a request through while there is a backend.
func (s *Server) withBackend(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			replyError(w, errStopping())
			return
		}
		defer s.leave()
		next.ServeHTTP(w, r)
	})
}

func errStopping() error {
	return Errorf(CodeStopping, "the daemon is stopping").WithHint("start it again with tomd start")
}

func (s *Server) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := h(s, r)
		if err != nil {
			replyError(w, err)
			return
		}
		reply(w, http.StatusOK, v)
	})
}

// get is a route to a method without arguments.
func get[T any](f func(Backend, context.Context) (T, error)) handler {
	return func(s *Server, r *http.Request) (any, error) { return f(s.cfg.Backend, r.Context()) }
}

// list is get for a method that returns a slice.
func list[T any](f func(Backend, context.Context) ([]T, error)) handler {
	return func(s *Server, r *http.Request) (any, error) {
		all, err := f(s.cfg.Backend, r.Context())
		return List[T](all), err
	}
}

// listOf is named for a method that returns a slice.
func listOf[T any](f func(Backend, context.Context, string) ([]T, error)) handler {
	return func(s *Server, r *http.Request) (any, error) {
		all, err := f(s.cfg.Backend, r.Context(), r.PathValue("id"))
		return List[T](all), err
	}
}

// named is a route to a method whose one argument is the path's {id}.
func named[T any](f func(Backend, context.Context, string) (T, error)) handler {
	return func(s *Server, r *http.Request) (any, error) {
		return f(s.cfg.Backend, r.Context(), r.PathValue("id"))
	}
}
