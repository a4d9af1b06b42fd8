package main

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/tom-protocol/tom/node"
	nodehost "github.com/tom-protocol/tom/node/host"
)

// crowd is many nodes in one process, each connected to one daemon and idle.
type crowd []*tomNode

// shy keeps the members from dialling each other more than the DHT needs: it is
// the daemon that is measured.
func shy(c *nodehost.Config) { c.FewConns, c.ManyConns = 2, 2*crowdSize }

// gather starts n nodes in memory and connects them to the node at address,
// whose network they must be in.
func gather(dir, address, network string, n int) (crowd, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var c crowd
	for i := range n {
		member, err := startNode(node.Config{Network: network, Host: shy}, filepath.Join(dir, strconv.Itoa(i)))
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c = append(c, member)
		if _, err := member.Connect(ctx, address); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Close ends all of them, at once: one after the other takes longer than they are
// given.
func (c crowd) Close() error {
	errs := make([]error, len(c))
	var ending sync.WaitGroup
	for i, member := range c {
		ending.Go(func() { errs[i] = member.close() })
	}
	ending.Wait()
	return errors.Join(errs...)
}
