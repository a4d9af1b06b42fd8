package main

import (
	"context"
	"errors"
	"time"
)

// worker is a side of the measurements of groups: hubs, members, and what they
// are compared with.
type worker interface {
	do(context.Context, order) (answer, error)
	close() error
}

// workers are made by the order "open".
var workers = map[string]func(context.Context, order) (worker, answer, error){
	"fan-hub":     openFanHub,
	"fan-members": openFanMembers,
	"fan-author":  openFanAuthor,
	"tom-hub":     openGroupHub,
	"tom-members": openGroupMembers,
	"gossip":      openGossip,
}

// groupPatience is how long an order may take among many members.
const groupPatience = 8 * time.Minute

var errOrder = errors.New("no such order")

// work carries out an order to a worker.
func (st *sideState) work(role string, o order) (a answer, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), groupPatience)
	defer cancel()
	if o.Do == "open" {
		st.w, a, err = workers[role](ctx, o)
		return a, err
	}
	return st.w.do(ctx, o)
}
