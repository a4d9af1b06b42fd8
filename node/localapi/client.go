package localapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// NoDaemonError says that nobody answers where a daemon should be.
type NoDaemonError struct {
	Addr string // socket or TCP address
	Err  error
}

// Error says what to do.
func (e *NoDaemonError) Error() string {
	return fmt.Sprintf("no daemon answers on %s: start one with tomd start", e.Addr)
}

// Unwrap is the cause.
func (e *NoDaemonError) Unwrap() error { return e.Err }

// Client talks to a daemon. Its methods may be called from any goroutine; an
// error the daemon answered is an [*Error], no daemon a [*NoDaemonError].
type Client struct {
	addr  string
	base  string
	token string
	http  *http.Client
}

// NewClient makes a client of the daemon of a data directory: over its socket,
// or over TCP if addr is not empty, with the token of the data directory. It
// does not connect yet.
func NewClient(dataDir, addr string) (*Client, error) {
	if addr != "" {
		return newTCPClient(dataDir, addr)
	}
	path, err := SocketPath(dataDir)
	if err != nil {
		return nil, err
	}
	return newClient("unix", path, "tomd", ""), nil
}

func newTCPClient(dataDir, addr string) (*Client, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, Errorf(CodeBadRequest, "%q is no address of a daemon", addr).WithHint("say 127.0.0.1:7070, for example")
	}
	token, err := readToken(dataDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, Errorf(CodeUnauthorized, "there is no %s in %s", tokenFile, dataDir).
			WithHint("start the daemon with --api, or copy the token of the one that runs there")
	}
	if err != nil {
		return nil, err
	}
	return newClient("tcp", addr, addr, token), nil
}

func newClient(network, addr, host, token string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil && ctx.Err() == nil {
			err = &NoDaemonError{addr, err}
		}
		return conn, err
	}
	transport := &http.Transport{DialContext: dial, DisableCompression: true}
	return &Client{addr: addr, base: "http://" + host + "/v1/", token: token, http: &http.Client{Transport: transport}}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// do sends a request and gives the answer, which the caller closes.
func (c *Client) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var r io.Reader
	if body != nil {
		b, err := marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, r)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readError(resp)
}

// explain turns the end of a connection into the end of the daemon: nothing
// else ends one.
func (c *Client) explain(ctx context.Context, err error) error {
	var known *NoDaemonError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return known
	default:
		return &NoDaemonError{c.addr, err}
	}
}

func readError(resp *http.Response) error {
	var body errorBody
	err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&body)
	if err != nil || body.Error == nil {
		return Errorf(CodeInternal, "the daemon answered %s", resp.Status).WithHint("is that a tomd?")
	}
	return body.Error
}

// call sends in, if it is not nil, and reads the answer.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (out T, err error) {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, c.explain(ctx, err)
	}
	return out, nil
}

// segment escapes s as one segment of a path. A dot alone would be taken for a
// step in the path.
func segment(s string) string {
	return strings.ReplaceAll(url.PathEscape(s), ".", "%2E")
}
