package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

func sendCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:      "send",
		Usage:     "send a message, and wait until the recipient has signed for it",
		ArgsUsage: "PEER TEXT|-",
		Description: "The message is accepted once its id is printed: from then on it is on disk and\n" +
			"is tried until the recipient has signed for it, 24 hours at most. With - the\n" +
			"message is read from standard input.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "wait", Value: string(localapi.Delivered), Usage: "wait for `STATE`: queued, sent, stored (with holders), delivered or read"},
			timeoutFlag(),
		},
		Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
			want := localapi.State(c.String("wait"))
			switch want {
			case localapi.Queued, localapi.Sent, localapi.Stored, localapi.Delivered, localapi.Read:
			default:
				return usagef("nothing to wait for is called %q: use queued, sent, stored, delivered or read", want)
			}
			content, err := readContent(t, args[1])
			if err != nil {
				return err
			}
			s := sending{t: t, client: client, want: want, timeout: c.Duration("timeout"), start: time.Now()}
			return s.run(c.Context, localapi.Outgoing{To: args[0], Content: content, Keep: true})
		}),
	}
}

func timeoutFlag() cli.Flag {
	return &cli.DurationFlag{
		Name: "timeout", Value: 30 * time.Second, Usage: "wait no longer than this",
		Action: func(_ *cli.Context, d time.Duration) error {
			if d < 0 {
				return usagef("--timeout %v is below zero: say how long to wait, 30s for example", d)
			}
			return nil
		},
	}
}

// readContent is the text given, or standard input for "-".
func readContent(t *terminal, text string) (localapi.Content, error) {
	body := []byte(text)
	if text == "-" {
		var err error
		if body, err = io.ReadAll(io.LimitReader(t.in, localapi.MaxBody+1)); err != nil {
			return localapi.Content{}, fmt.Errorf("read standard input: %w", err)
		}
	}
	if len(body) > localapi.MaxBody {
		return localapi.Content{}, localapi.Errorf(localapi.CodeTooLarge, "the message is over the limit of %d KiB", localapi.MaxBody>>10).
			WithHint("send it in parts")
	}
	if !utf8.Valid(body) {
		return localapi.NewContent("application/octet-stream", body), nil
	}
	return localapi.NewContent(localapi.DefaultType, body), nil
}

// sending is one run of the command.
type sending struct {
	t       *terminal
	client  *localapi.Client
	want    localapi.State
	timeout time.Duration
	start   time.Time
}

// sent is what send prints at the end.
type sent struct {
	ID            string         `json:"id"`
	State         localapi.State `json:"state"`
	Path          string         `json:"path"`
	ElapsedMS     int64          `json:"elapsed_ms"`
	Reason        string         `json:"reason"`
	ForwardSecret bool           `json:"forward_secret"`
}

func (s *sending) run(ctx context.Context, m localapi.Outgoing) error {
	accepted, err := s.accept(ctx, m)
	if err != nil {
		return err
	}
	if !s.t.json {
		fmt.Fprintln(s.t.out, accepted.ID)
	}
	left := max(0, s.timeout-time.Since(s.start))
	status, err := s.client.Wait(ctx, accepted.ID, s.want, left)
	interrupted := ctx.Err() != nil
	if interrupted {
		status, err = s.lastState(accepted.ID)
	}
	if err != nil {
		return s.daemonGone(accepted, err)
	}
	s.print(accepted.ID, status)
	return s.outcome(accepted.ID, status, interrupted)
}

// accept waits no longer than the timeout for room in the outbox.
func (s *sending) accept(ctx context.Context, m localapi.Outgoing) (localapi.Accepted, error) {
	short, cancel := context.WithTimeout(ctx, max(s.timeout, time.Second))
	defer cancel()
	accepted, err := s.client.Send(short, m)
	switch {
	case ctx.Err() != nil:
		return accepted, &notReached{"interrupted before the message was accepted"}
	case errors.Is(err, context.DeadlineExceeded):
		return accepted, localapi.Errorf(localapi.CodeBusy, "not accepted: the outbox is full").
			WithHint("try again when tomd status shows fewer messages queued")
	default:
		return accepted, err
	}
}

// lastState asks once more, on time of its own.
func (s *sending) lastState(id string) (localapi.Message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.client.Message(ctx, id)
}

// daemonGone says what an accepted message's fate is when nobody can be asked.
func (s *sending) daemonGone(m localapi.Accepted, err error) error {
	if s.t.json {
		s.t.printJSON(s.t.out, sent{ID: m.ID, State: localapi.Queued, ElapsedMS: s.elapsed(), Reason: err.Error()})
	}
	return fmt.Errorf("the message is queued on disk and goes on when the daemon does; tomd trace %s: %w", m.ID, err)
}

func (s *sending) elapsed() int64 { return time.Since(s.start).Milliseconds() }

func (s *sending) print(id string, m localapi.Message) {
	if s.t.json {
		s.t.printJSON(s.t.out, sent{id, m.State, m.Path, s.elapsed(), m.Reason, m.ForwardSecret})
		return
	}
	if m.State.Reached(s.want) {
		fmt.Fprintln(s.t.out, printable(s.success(m)))
	}
}

func (s *sending) success(m localapi.Message) string {
	text := fmt.Sprintf("%s: %s", who(m.Name, m.To), m.State)
	if m.Path != "" {
		text += ", " + m.Path
	}
	text += fmt.Sprintf(", after %s", duration(time.Since(s.start)))
	if !m.ForwardSecret && m.State.Reached(localapi.Sent) {
		text += ", not forward secret"
	}
	return text
}

// outcome is the error the command ends with.
func (s *sending) outcome(id string, m localapi.Message, interrupted bool) error {
	switch {
	case m.State.Reached(s.want):
		return nil
	case m.State == localapi.Failed:
		return localapi.Errorf(localapi.CodeRefused, "not delivered: %s", who(m.Reason, "it failed")).WithHint("tomd trace %s", id)
	default:
		return &notReached{unreached(id, m, s.want, interrupted, time.Now())}
	}
}

// keptBy says how many holders keep a message that should have more.
func keptBy(holders int) string {
	switch holders {
	case 0:
		return "no node that could keep it is within reach"
	case 1:
		return "one other node keeps it, which is too few"
	}
	return fmt.Sprintf("%d other nodes keep it, which is too few", holders)
}

// unreached is the sentence for a message that is not yet where it should be.
func unreached(id string, m localapi.Message, want localapi.State, interrupted bool, now time.Time) string {
	var parts []string
	switch {
	case interrupted:
		parts = append(parts, fmt.Sprintf("interrupted, not %s yet", want))
	case m.State == localapi.Expired:
		parts = append(parts, fmt.Sprintf("not %s: its time is over without a receipt", want))
	default:
		parts = append(parts, fmt.Sprintf("not %s yet", want))
	}
	if m.Reason != "" {
		parts[0] += ": " + m.Reason
	}
	if want == localapi.Stored && !m.State.Over() {
		parts = append(parts, keptBy(m.Holders))
	}
	switch {
	case m.State == localapi.Delivered:
		parts = append(parts, "it is delivered")
	case !m.State.Over():
		parts = append(parts, "it stays queued until "+clockTime(now, m.End.Time))
	}
	return strings.Join(append(parts, "tomd trace "+id), "; ")
}
