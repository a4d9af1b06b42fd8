package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// count holds the inbox against what was accepted.
func (s *streaming) count(ctx context.Context) error {
	fmt.Println("\nWhat came of them")
	rows, err := inbox(ctx, s.bob)
	if err != nil {
		return err
	}
	var missing, twice, wrong, resent int
	for id, body := range s.accepted {
		switch got := rows[id]; {
		case len(got) == 0:
			missing++
		case len(got) > 1:
			twice++
		case got[0].Body != body || got[0].From != s.alice.ID:
			wrong++
		}
		trace, err := s.alice.Client.Trace(ctx, id)
		if err != nil {
			return err
		}
		if trace.State != localapi.Delivered {
			return fmt.Errorf("alice's trace of %s says %s", id, trace.State)
		}
		if len(trace.Attempts) > 1 {
			resent++
		}
	}
	fmt.Printf("  %4d  accepted by alice: their ids were given out\n", len(s.accepted))
	fmt.Printf("  %4d  delivered: bob has signed for them, and alice has checked\n", s.signed())
	fmt.Printf("  %4d  tried more than once, because bob was dead\n", resent)
	fmt.Printf("  %4d  lost\n", missing)
	fmt.Printf("  %4d  twice in bob's inbox\n", twice)
	if wrong > 0 {
		return fmt.Errorf("%d are in the inbox with another body or author", wrong)
	}
	if missing+twice > 0 || len(s.accepted) != messages {
		return errors.New("messages were lost or came twice")
	}
	return nil
}

// prove exports a receipt and has it verified by a command that knows neither
// daemon, and then a receipt that was tampered with.
func (s *streaming) prove(ctx context.Context, m *proc.Machine) error {
	ids := slices.Sorted(maps.Keys(s.accepted))
	id := ids[len(ids)-1]
	fmt.Printf("\nThe receipt of the last, for anyone to check offline\n")
	fmt.Printf("  tomd receipt export %s | tomd receipt verify -\n", id)
	file, err := s.alice.Output(ctx, "receipt", "export", id)
	if err != nil {
		return err
	}
	good, err := m.Run(ctx, "nobody", file, "receipt", "verify", "-")
	if err != nil {
		return err
	}
	quote(good.Out + good.Err)
	for _, part := range []string{"valid: message " + id, s.alice.ID, "was delivered", s.bob.ID} {
		if good.Code != 0 || !strings.Contains(good.Out, part) {
			return fmt.Errorf("the receipt does not prove that: %q is missing", part)
		}
	}
	fmt.Println("  and with one bit changed:")
	changed, err := tamper(file)
	if err != nil {
		return err
	}
	bad, err := m.Run(ctx, "nobody", changed, "receipt", "verify", "-")
	if err != nil {
		return err
	}
	quote(bad.Out + bad.Err)
	if bad.Code != 4 {
		return fmt.Errorf("a changed receipt ends with exit code %d", bad.Code)
	}
	return nil
}

// tamper changes one bit of the signed bytes.
func tamper(file string) (string, error) {
	var r localapi.Receipt
	if err := json.Unmarshal([]byte(file), &r); err != nil {
		return "", err
	}
	r.Receipt = bytes.Clone(r.Receipt)
	r.Receipt[len(r.Receipt)-1] ^= 1
	b, err := json.Marshal(r)
	return string(b), err
}

func quote(text string) {
	for line := range strings.Lines(text) {
		fmt.Print("    " + line)
	}
}
