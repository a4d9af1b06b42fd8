// Command demo shows on one machine what ToM promises: three daemons find each
// other, write to each other, and one of them is killed in the middle of a
// stream of messages. It prints what happened, and exits with 0 only if nothing
// was lost, nothing came twice, and the receipt verifies.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
)

// limit is how long all may take after the build.
const limit = time.Minute

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	cancel()
	if err != nil {
		fmt.Printf("\nThe demo failed: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	err = build()
	defer func() { err = errors.Join(err, proc.CleanUp()) }()
	if err != nil {
		return err
	}
	m, err := proc.NewMachine()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := play(ctx, m); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (it was given %s)", err, limit)
		}
		return err
	}
	fmt.Printf("\nAll of that was true. %.1f s.\n%s", time.Since(begin).Seconds(), epilogue)
	return nil
}

// play is the demo itself, scene by scene.
func play(ctx context.Context, m *proc.Machine) error {
	trio, err := startTrio(ctx, m)
	if err != nil {
		return err
	}
	if err := meet(ctx, trio); err != nil {
		return err
	}
	if err := greet(ctx, trio); err != nil {
		return err
	}
	alice, bob := trio[0], trio[1]
	s, err := stream(ctx, alice, bob)
	if err != nil {
		return err
	}
	if err := s.count(ctx); err != nil {
		return err
	}
	if err := s.prove(ctx, m); err != nil {
		return err
	}
	return stop(ctx, []*proc.Daemon{alice, s.bob, trio[2]})
}

// stop ends the daemons as a user does, and wants them to have had no complaint.
func stop(ctx context.Context, daemons []*proc.Daemon) error {
	for _, d := range daemons {
		if err := d.Stop(ctx); err != nil {
			return err
		}
	}
	return nil
}

const epilogue = `
It shows: end-to-end encrypted messages between real processes, accepted ones
kept on disk, delivery told only by the recipient's signature.
It does not show: two machines, other people's networks and NATs, a power cut
(a killed process leaves the system's caches intact, a power cut does not), nor
relays, backups and groups: "make natlab" and "tomd stress campaign" do.
Nobody has audited this code.
`
