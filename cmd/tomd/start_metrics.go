package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tom-protocol/tom/node"
)

// showMetrics shows the node's metrics, and what the process takes of the
// machine: the node is a library, and the process is not its own.
func showMetrics(n *node.Node) http.Handler {
	process := prometheus.NewRegistry()
	process.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(prometheus.Gatherers{n.Metrics(), process}, promhttp.HandlerOpts{})
}
