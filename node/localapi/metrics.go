package localapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxMetrics bounds what a client reads of metrics, bytes.
const maxMetrics = 4 << 20

func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Metrics == nil {
		replyError(w, Errorf(CodeRefused, "this daemon shows no metrics here"))
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTimeout))
	s.cfg.Metrics.ServeHTTP(w, r)
}

// Metrics gives the daemon's metrics, in the text form of Prometheus.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	resp, err := c.do(ctx, "GET", "metrics", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxMetrics+1))
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if len(text) > maxMetrics {
		return nil, fmt.Errorf("the daemon shows more than %d bytes of metrics", maxMetrics)
	}
	return text, nil
}
