package localapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// Limits of one server.
const (
	maxConns     = 256              // connections per listener; more wait to be accepted
	maxStreams   = 64               // event streams and waits at once; more are answered busy
	headTimeout  = 10 * time.Second // for a request's header
	bodyTimeout  = 30 * time.Second // for a request's body, and for each write of an answer
	idleTimeout  = 60 * time.Second // for the next request on a connection
	drainTimeout = 5 * time.Second  // for requests under way when the daemon ends
	maxHeader    = 64 << 10         // bytes
)

// Config says what to serve, and where.
type Config struct {
	Backend Backend // what is served; required
	DataDir string  // where the socket and the token are; required
	Addr    string  // a TCP address besides the socket, served only to who has the token; "" is none

	SetLogLevel func(level string) error // of the process; nil refuses
	Stop        func()                   // makes the process end soon; nil refuses
	Metrics     http.Handler             // of the process, in the text form of Prometheus; nil refuses
	Log         *slog.Logger             // what goes wrong while serving; nil drops it
}

// Server serves a Backend. Its end has two steps, so that no request meets a
// backend that is gone: Drain first, then end the backend, then Run's context.
type Server struct {
	cfg       Config
	listeners []net.Listener
	servers   []*http.Server
	token     string

	requests context.Context // of every request; ends when Drain has waited long enough
	abort    context.CancelFunc
	streams  context.Context // of what lasts; ends when Drain begins
	drain    context.CancelFunc
	slots    chan struct{} // one for each of maxStreams
	closed   chan struct{} // when Run ends; stop requests wait for it

	mu       sync.Mutex // guards draining against a late Add to under
	draining bool
	under    sync.WaitGroup // requests in the backend
}

// NewServer opens the socket, and the TCP address if one is given.
func NewServer(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, slots: make(chan struct{}, maxStreams), closed: make(chan struct{})}
	s.requests, s.abort = context.WithCancel(context.Background())
	s.streams, s.drain = context.WithCancel(s.requests)
	if err := s.listen(); err != nil {
		s.drain()
		s.abort()
		return nil, errors.Join(err, s.closeListeners())
	}
	return s, nil
}

func (s *Server) listen() error {
	path, err := SocketPath(s.cfg.DataDir)
	if err != nil {
		return err
	}
	socket, err := listenSocket(path)
	if err != nil {
		return err
	}
	routes := s.routes()
	s.add(socket, routes)
	if s.cfg.Addr == "" {
		return nil
	}
	if s.token, err = openToken(s.cfg.DataDir); err != nil {
		return err
	}
	tcp, err := net.Listen("tcp", s.cfg.Addr)
	if err != nil {
		return Errorf(CodeRefused, "cannot listen on %s: %v", s.cfg.Addr, err).WithHint("give --api another address")
	}
	s.add(tcp, s.guard(routes))
	return nil
}

func (s *Server) add(l net.Listener, h http.Handler) {
	s.listeners = append(s.listeners, netutil.LimitListener(l, maxConns))
	s.servers = append(s.servers, &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return s.requests },
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
	})
}

func (s *Server) closeListeners() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Addrs are where the server listens: the socket's path first.
func (s *Server) Addrs() []string {
	var addrs []string
	for _, l := range s.listeners {
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// Run serves until ctx ends; then every connection is closed.
func (s *Server) Run(ctx context.Context) error {
	errs := make(chan error, len(s.servers))
	for i, server := range s.servers {
		go func() { errs <- server.Serve(s.listeners[i]) }()
	}
	var failed error
	ended := 0
	select {
	case <-ctx.Done():
	case failed = <-errs:
		ended = 1
	}
	close(s.closed)
	s.Drain()
	for _, server := range s.servers {
		s.shutdown(server)
	}
	for ; ended < len(s.servers); ended++ {
		<-errs
	}
	return failed
}

// shutdown lets answers under way leave, for a moment, and closes the rest.
func (s *Server) shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}

// Drain ends event streams and waits, refuses what comes from now on, and
// returns when no request is in the backend any more. Requests to stop the
// daemon stay open until Run ends: that is their answer.
func (s *Server) Drain() {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	s.drain()
	late := time.AfterFunc(drainTimeout, s.abort)
	defer late.Stop()
	s.under.Wait()
	s.abort()
}

// enter counts a request into the backend; leave must follow if it is true.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.under.Add(1)
	return true
}

func (s *Server) leave() { s.under.Done() }
