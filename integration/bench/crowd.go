package main

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"

	"github.com/tom-protocol/tom/node"
)

// crowd is many nodes in one process, each connected to one daemon and idle.
type crowd []*tomNode

// gather starts n nodes in memory and connects them to the node at address,
// whose network they must be in.
func gather(dir, address, network string, n int) (crowd, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var c crowd
	for i := range n {
		member, err := startNode(node.Config{Network: network}, filepath.Join(dir, strconv.Itoa(i)))
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

// Close ends all of them.
func (c crowd) Close() error {
	var errs []error
	for _, member := range c {
		errs = append(errs, member.close())
	}
	return errors.Join(errs...)
}
