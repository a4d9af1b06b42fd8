package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// startTrio starts three daemons at once.
func startTrio(ctx context.Context, m *proc.Machine) ([]*proc.Daemon, error) {
	fmt.Printf("\nThree daemons with fresh data directories, on the network %q\n", m.Network)
	names := []string{"alice", "bob", "carol"}
	trio := make([]*proc.Daemon, len(names))
	var g errgroup.Group
	for i, name := range names {
		g.Go(func() (err error) {
			trio[i], err = m.Start(ctx, name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, d := range trio {
		fmt.Printf("  %-6s %s  process %d, ready after %s\n", d.Name, d.ID, d.PID(), ms(d.Ready))
	}
	return trio, nil
}

// meet waits until each is connected with both others. Nobody tells them of
// each other.
func meet(ctx context.Context, trio []*proc.Daemon) error {
	fmt.Println("\nThey find each other by themselves")
	for _, d := range trio {
		peers, err := see(ctx, d, len(trio)-1)
		if err != nil {
			return fmt.Errorf("%s did not find the others: %w", d.Name, err)
		}
		var seen []string
		for _, p := range peers {
			seen = append(seen, fmt.Sprintf("%s (%s)", p.Name, p.Path))
		}
		fmt.Printf("  %-6s sees %s  %s after it was started\n", d.Name, strings.Join(seen, " and "), ms(time.Since(d.Started)))
	}
	fmt.Println("  A name with a question mark is what a peer calls itself: a claim, until you name it.")
	return nil
}

// see waits until a daemon is connected with so many others who have said their
// names. There is no event for that, so it asks again and again.
func see(ctx context.Context, d *proc.Daemon, others int) ([]localapi.Peer, error) {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		peers, err := d.Client.Peers(ctx)
		if err != nil {
			return nil, err
		}
		named := 0
		for _, p := range peers {
			if p.Name != "" {
				named++
			}
		}
		if named >= others {
			return peers, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// sent is what tomd send --json prints.
type sent struct {
	ID            string         `json:"id"`
	State         localapi.State `json:"state"`
	Path          string         `json:"path"`
	ElapsedMS     int64          `json:"elapsed_ms"`
	ForwardSecret bool           `json:"forward_secret"`
}

// greet sends one message each way between all of them, with tomd send.
func greet(ctx context.Context, trio []*proc.Daemon) error {
	fmt.Println("\nEach writes to each (tomd send PEER TEXT)")
	for _, from := range trio {
		for _, to := range trio {
			if from == to {
				continue
			}
			if err := greetOne(ctx, from, to); err != nil {
				return fmt.Errorf("%s to %s: %w", from.Name, to.Name, err)
			}
		}
	}
	return nil
}

func greetOne(ctx context.Context, from, to *proc.Daemon) error {
	text := fmt.Sprintf("hello %s, this is %s", to.Name, from.Name)
	var s sent
	if err := from.JSON(ctx, &s, "send", to.ID, text); err != nil {
		return err
	}
	secrecy := "forward secret"
	if !s.ForwardSecret {
		secrecy = "not forward secret"
	}
	fmt.Printf("  %-5s → %-5s  %s  %s, %s, %s, %d ms\n", from.Name, to.Name, s.ID, s.State, s.Path, secrecy, s.ElapsedMS)
	if s.State != localapi.Delivered {
		return errors.New("it is not delivered")
	}
	rows, err := inbox(ctx, to)
	if err != nil {
		return err
	}
	if got := rows[s.ID]; len(got) != 1 || got[0].Body != text || got[0].From != from.ID {
		return fmt.Errorf("it is delivered, but in the inbox there is %v", got)
	}
	return nil
}

// inbox is all a daemon has received, by id: more than one row means twice.
func inbox(ctx context.Context, d *proc.Daemon) (map[string][]localapi.Received, error) {
	rows := map[string][]localapi.Received{}
	for page, err := range d.Client.Inbox(ctx, localapi.InboxQuery{Limit: localapi.MaxPage}) {
		if err != nil {
			return nil, err
		}
		for _, row := range page.Messages {
			rows[row.ID] = append(rows[row.ID], row)
		}
	}
	return rows, nil
}

// ms shows a duration as people read it.
func ms(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
