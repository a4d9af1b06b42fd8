package node

import (
	"errors"
	"fmt"
)

// ErrRan is returned by a second Run.
var ErrRan = errors.New("a node runs once: make another")

// ErrRegistry is returned by New for a metrics registry that another node uses.
var ErrRegistry = errors.New("the metrics registry serves another node: give each its own")

// ErrChaosOnMain is returned by New for Config.Chaos on the default network.
var ErrChaosOnMain = errors.New("no chaos on the network \"main\", where others meet")

// ErrNoReceipt is returned for a message whose recipient has not signed.
var ErrNoReceipt = errors.New("the recipient has not signed for it yet")

// UnknownPeerError is returned for a name that is no petname, peer id or
// contact link.
type UnknownPeerError struct {
	Name string
	Err  error // what is wrong with it, if it looks like a peer id or link
}

func (e *UnknownPeerError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%q names no peer: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%q is no contact, peer id or contact link", e.Name)
}

func (e *UnknownPeerError) Unwrap() error { return e.Err }
