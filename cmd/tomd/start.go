package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node"
	"github.com/tom-protocol/tom/node/holder"
	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
	"github.com/tom-protocol/tom/node/reach"
	"github.com/tom-protocol/tom/relay/role"
)

// version is what this build calls itself.
func version() string { return node.Version }

func startCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "start",
		Usage: "run the daemon, in the foreground, until it is stopped",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "listen", Usage: "listen on `MULTIADDR` instead of QUIC and TCP on one port of every interface; again for more; port 0 stands for the kept one"},
			&cli.StringSliceFlag{Name: "bootstrap", Usage: "connect to `MULTIADDR` with /p2p/, or to a contact link, at the start; again for more"},
			&cli.StringFlag{Name: "name", Usage: "call this node `NAME` towards others"},
			&cli.StringFlag{Name: "network", Usage: "join the network `NAME` instead of main"},
			&cli.BoolFlag{Name: "local", Usage: "stay on this machine: loopback, no mDNS, no port mapping"},
			&cli.BoolFlag{Name: "no-mdns", Usage: "do not look for nodes on the LAN"},
			&cli.BoolFlag{Name: "no-dht", Usage: "do not look for nodes in the DHT, nor take part in it"},
			&cli.BoolFlag{Name: "no-portmap", Usage: "do not ask the router for a port"},
			&cli.StringFlag{Name: "backup", Usage: "keep sealed messages for others who are away: `auto`, on or off", DefaultText: "auto"},
			&cli.StringFlag{Name: "backup-quota", Usage: "keep no more than `SIZE` of them, 512M for example", DefaultText: "128M"},
			&cli.StringFlag{Name: "relay", Usage: "pass on envelopes of others: `auto`, on or off", DefaultText: "auto"},
			&cli.StringFlag{Name: "hub", Usage: "serve groups that this node is not in, when an admin lists it: `auto`, on or off", DefaultText: "auto"},
			&cli.StringFlag{Name: "reachability", Usage: "`HOW` others can dial this node: auto finds out, public and private vouch for it", Value: "auto"},
			&cli.BoolFlag{Name: "low-memory", Usage: "use little memory, at some cost in speed: for machines with 1 GB"},
			chaosFlag(),
			&cli.StringFlag{Name: "metrics", Usage: "serve Prometheus metrics on `ADDR`, under /metrics"},
			&cli.StringFlag{Name: "log-level", Usage: "log from `LEVEL` on: debug, info, warn or error", DefaultText: "error"},
		},
		Action: func(c *cli.Context) error {
			if _, err := arguments(c); err != nil {
				return err
			}
			if err := setUpLogs(c.String("log-level")); err != nil {
				return err
			}
			return start(c, t)
		},
	}
}

// checkAddrs looks at the addresses that were given.
func checkAddrs(c *cli.Context) error {
	for _, addr := range c.StringSlice("listen") {
		if _, err := multiaddr.NewMultiaddr(addr); err != nil {
			return usagef("--listen %q is no multiaddr: say /ip4/0.0.0.0/tcp/4001, for example", addr)
		}
	}
	for _, addr := range c.StringSlice("bootstrap") {
		_, err := peer.AddrInfoFromString(addr)
		if identity.IsLink(addr) {
			_, err = identity.ParseLink(addr)
		}
		if err != nil {
			return usagef("--bootstrap %q says of no peer where it is: give what tomd id prints there, the whole link", addr)
		}
	}
	return nil
}

// start runs the daemon. It ends in the order it depends: no more requests,
// then the node, then the socket, whose end tells tomd stop that all is done.
func start(c *cli.Context, t *terminal) error {
	ctx, stop := context.WithCancel(c.Context)
	defer stop()
	thrift := usual
	if c.Bool("low-memory") {
		thrift = frugal
	}
	go thrift.tend(ctx)
	n, err := newNode(c)
	if err != nil {
		return err
	}
	warnOfChaos(c, t)
	d := &daemon{node: n, shown: showMetrics(n)}
	if err := d.serve(c, stop); err != nil {
		return errors.Join(err, n.Close())
	}
	if err := d.announce(ctx, t); err != nil {
		d.cancel()
		return errors.Join(err, d.wait(), n.Close())
	}
	return d.run(ctx)
}

func newNode(c *cli.Context) (*node.Node, error) {
	dir, err := dataDir(c)
	if err != nil {
		return nil, err
	}
	if err := checkAddrs(c); err != nil {
		return nil, err
	}
	if _, err := role.ParseMode(c.String("relay")); err != nil {
		return nil, usagef("--relay %v", err)
	}
	if _, err := role.ParseMode(c.String("hub")); err != nil {
		return nil, usagef("--hub %v", err)
	}
	if _, err := holder.ParseMode(c.String("backup")); err != nil {
		return nil, usagef("--backup %v", err)
	}
	quota, err := parseSize(c.String("backup-quota"))
	if err != nil {
		return nil, usagef("--backup-quota %v", err)
	}
	if _, err := reach.ParseVouch(c.String("reachability")); err != nil {
		return nil, usagef("--reachability %v", err)
	}
	if err := checkChaos(c); err != nil {
		return nil, err
	}
	return node.New(node.Config{
		Relay: c.String("relay"), Hub: c.String("hub"),
		Backup: c.String("backup"), BackupQuota: quota,
		DataDir: dir, Name: c.String("name"), Network: c.String("network"),
		Listen: c.StringSlice("listen"), Bootstrap: c.StringSlice("bootstrap"),
		Local: c.Bool("local"), NoMDNS: c.Bool("no-mdns"), NoDHT: c.Bool("no-dht"), NoPortMap: c.Bool("no-portmap"),
		Reachability: c.String("reachability"), Chaos: c.String("chaos"), LowMemory: c.Bool("low-memory"),
	})
}

// daemon is a node and what serves it to others of its machine.
type daemon struct {
	node    *node.Node
	api     *localapi.Server
	shown   http.Handler // the metrics
	metrics *http.Server // nil without --metrics

	cancel context.CancelFunc // ends api
	ended  chan error         // one for each of the services
	count  int
}

// serve opens the local interface, and the metrics if they are wanted.
func (d *daemon) serve(c *cli.Context, stop func()) (err error) {
	dir, err := dataDir(c)
	if err != nil {
		return err
	}
	var metrics net.Listener
	if addr := c.String("metrics"); addr != "" {
		if metrics, err = net.Listen("tcp", addr); err != nil {
			return localapi.Errorf(localapi.CodeRefused, "cannot serve metrics on %s: %v", addr, err).WithHint("give --metrics another address")
		}
	}
	d.api, err = localapi.NewServer(localapi.Config{
		Backend: d.node.API(), DataDir: dir, Addr: c.String("api"),
		SetLogLevel: setLogLevel, Stop: stop, Metrics: d.shown, Log: apiLog(),
	})
	if err != nil {
		if metrics != nil {
			err = errors.Join(err, metrics.Close())
		}
		return err
	}
	d.ended = make(chan error, 2)
	apiCtx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	d.count++
	go func() { d.ended <- d.api.Run(apiCtx) }()
	if metrics != nil {
		d.serveMetrics(metrics)
	}
	return nil
}

func (d *daemon) serveMetrics(l net.Listener) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", d.shown)
	d.metrics = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	d.count++
	go func() {
		err := d.metrics.Serve(l)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		d.ended <- err
	}()
}

// announce says that the daemon is there: who reads its output may begin.
func (d *daemon) announce(ctx context.Context, t *terminal) error {
	id, err := d.node.API().Identity(ctx)
	if err != nil {
		return err
	}
	t.print(id, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n%s\n", id.ID, id.Link)
		for _, addr := range id.Addrs {
			fmt.Fprintf(w, "listening on %s\n", addr)
		}
	})
	return nil
}

// run ends when ctx does, or when a part fails.
func (d *daemon) run(ctx context.Context) error {
	nodeCtx, endNode := context.WithCancel(context.Background())
	defer endNode()
	nodeEnded := make(chan error, 1)
	go func() { nodeEnded <- d.node.Run(nodeCtx) }()
	var failed error
	select {
	case <-ctx.Done():
		d.api.Drain()
		endNode()
		failed = <-nodeEnded
	case failed = <-nodeEnded:
	case failed = <-d.ended:
		d.count--
		d.api.Drain()
		endNode()
		failed = errors.Join(failed, <-nodeEnded)
	}
	d.cancel()
	return errors.Join(failed, d.wait())
}

// wait ends the metrics and waits for all services.
func (d *daemon) wait() error {
	var errs []error
	if d.metrics != nil {
		errs = append(errs, d.metrics.Close())
	}
	for ; d.count > 0; d.count-- {
		errs = append(errs, <-d.ended)
	}
	return errors.Join(errs...)
}
