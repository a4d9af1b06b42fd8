package bot

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/proc"
	"github.com/tom-protocol/tom/node/localapi"
)

// The bot and its daemon are killed with SIGKILL again and again, at any moment,
// while messages come in: each has one answer at the end.
func TestEachMessageIsAnsweredOnceWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	messages, kills := 80, 8
	if os.Getenv("SOAK") != "" {
		messages, kills = 2000, 200
	}
	s := newScene(t, 4*time.Minute)
	alice, home := s.Start("alice"), s.Start("home")
	link := home.Link
	rng := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano())))
	command := []string{"--exec", "sh", "--", "-c", `read -r n; printf 'answer to %s' "$n"`}
	b := s.bot("home", command...)
	b.until("ready")
	for i := range messages {
		s.send(alice, link, fmt.Sprint(i))
		if every := messages / kills; i%every != every-1 {
			continue
		}
		// Any moment will do: when it has answered some of those that it was sent.
		for range rng.IntN(4) {
			b.until("answered")
		}
		if rng.IntN(2) == 0 {
			home.Kill()
			again, err := home.Again(s.ctx)
			s.Check(err)
			home = again
		}
		b.kill()
		b = s.bot("home", command...)
	}
	answers := map[string]int{}
	for _, m := range s.await(alice, messages) {
		answers[m.Body]++
		if !strings.HasPrefix(m.Type, "text/vnd.tom.answer; to=") {
			t.Errorf("an answer is of type %q", m.Type)
		}
	}
	// What is answered twice would come behind: one more message, and its answer.
	s.send(alice, link, "the last")
	all := s.await(alice, messages+1)
	for i := range messages {
		if n := answers["answer to "+fmt.Sprint(i)]; n != 1 {
			t.Errorf("%d is answered %d times", i, n)
		}
	}
	if len(all) != messages+1 {
		t.Errorf("%d answers to %d messages", len(all), messages+1)
	}
	unread, err := home.Client.InboxPage(s.ctx, localapi.InboxQuery{Unread: true})
	if s.Check(err); len(unread.Messages) > 1 { // the last may not be marked yet
		t.Errorf("%d messages are unread still", len(unread.Messages))
	}
}

// Two bots talk to each other if a person makes one speak; each says no more than
// it was asked.
func TestTwoBotsSoonHaveNothingToSay(t *testing.T) {
	t.Parallel()
	s := newScene(t, time.Minute)
	left, right := s.Start("left"), s.Start("right")
	l, r := s.bot("left", "--echo"), s.bot("right", "--echo")
	l.until("ready")
	r.until("ready")
	s.send(left, right.Link, "hello") // as the person there would
	if got := s.await(left, 1); got[0].Body != "hello" || got[0].Type == localapi.DefaultType {
		t.Errorf("the answer is %+v", got[0])
	}
	// What would follow the answer had come before the answer to another question.
	for n := range 5 {
		s.send(left, right.Link, fmt.Sprint(n))
		s.await(left, n+2)
	}
	if in, out := len(s.inbox(left)), len(s.inbox(right)); in != 6 || out != 6 {
		t.Errorf("of six questions came %d, and %d answers", out, in)
	}
}

// Bots join where they are invited to, and answer people in groups, not each
// other; the daemon of one is killed meanwhile.
func TestBotsInAGroupAnswerPeopleOnce(t *testing.T) {
	t.Parallel()
	const questions = 12
	s := newScene(t, 2*time.Minute)
	alice, one, two := s.Start("alice"), s.Start("one"), s.Start("two")
	first, second := s.bot("one", "--echo", "--accept-invites"), s.bot("two", "--accept-invites", "--exec", "sh", "--", "-c", `printf 'in %s: ' "$TOM_GROUP_NAME"; cat`)
	first.until("ready")
	second.until("ready")
	g, err := alice.Client.CreateGroup(s.ctx, localapi.NewGroup{Name: "friends"})
	s.Check(err)
	for _, d := range []*proc.Daemon{one, two} {
		_, err := alice.Client.Connect(s.ctx, d.Link)
		s.Check(err)
		_, err = alice.Client.InviteToGroup(s.ctx, g.Group, localapi.NewInvite{Peer: d.ID})
		s.Check(err)
	}
	if r := first.until("joined"); r.Group != g.Group {
		t.Errorf("joined %+v", r)
	}
	second.until("joined")
	for n := range questions {
		_, err := alice.Client.SendToGroup(s.ctx, g.Group, localapi.NewContent("", fmt.Append(nil, "q", n)))
		s.Check(err)
		if n == questions/2 {
			second.until("answered")
			two.Kill()
			_, err := two.Again(s.ctx)
			s.Check(err)
			first.kill()
			s.bot("one", "--echo")
		}
	}
	var want []string
	for n := range questions {
		want = append(want, fmt.Sprint("in friends: q", n), fmt.Sprint("q", n))
	}
	slices.Sort(want)
	got := s.answers(alice, g.Group, len(want))
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("the answers are\n%q, not\n%q", got, want)
	}
}

// answers waits until a group's log has n answers, and those to one question more
// behind them: what would be answered twice has come by then.
func (s *scene) answers(d *proc.Daemon, group string, n int) []string {
	s.T.Helper()
	last := ""
	for cursor := uint64(0); ; {
		page, err := d.Client.GroupLog(s.ctx, group, localapi.GroupLogQuery{Since: cursor, Wait: time.Second})
		s.Check(err)
		if len(page) > 0 {
			cursor = page[len(page)-1].Cursor
		}
		all, err := d.Client.GroupLog(s.ctx, group, localapi.GroupLogQuery{})
		s.Check(err)
		var bodies []string
		final := 0
		for _, r := range all {
			switch {
			case !strings.HasPrefix(r.Type, "text/vnd.tom.answer"):
			case last != "" && strings.HasSuffix(r.Type, last):
				final++
			default:
				bodies = append(bodies, r.Body)
			}
		}
		if final == 2 {
			return bodies
		}
		if len(bodies) >= n && last == "" {
			sent, err := d.Client.SendToGroup(s.ctx, group, localapi.NewContent("", []byte("the last")))
			s.Check(err)
			last = sent.ID
		}
	}
}

func TestBotSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newScene(t, time.Minute)
	s.Start("home")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"bot"}, 2, "--exec CMD or --echo"},
		{[]string{"bot", "--echo", "--exec", "cat"}, 2, "either"},
		{[]string{"bot", "--echo", "more"}, 2, "takes no argument"},
		{[]string{"bot", "--exec", "nonesuch-at-all"}, 2, "there is no program"},
		{[]string{"bot", "--exec", "cat -n"}, 2, "--exec cat -- -n"},
	} {
		r, err := s.Run(s.ctx, "home", "", c.args...)
		if err != nil || r.Code != c.code || !strings.Contains(r.Err, c.says) {
			t.Errorf("%q: %+v, %v; want %d and %q", c.args, r, err, c.code, c.says)
		}
	}
	if r, err := s.Run(s.ctx, "nobody", "", "bot", "--echo"); err != nil || r.Code != 3 {
		t.Errorf("without a daemon: %+v, %v", r, err)
	}
}

// A program that does not know whether a message was accepted sends it once more
// under its id, and it goes once.
func TestWhatIsSentAgainUnderItsIDGoesOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t, time.Minute)
	alice, bob := s.Start("alice"), s.Start("bob")
	const id, other = "01a21565-4f33-73b7-b084-78efb42442d1", "01a21565-4f33-73b7-b084-78efb42442d2"
	again := func(id, to string) error {
		a, err := alice.Client.Send(s.ctx, localapi.Outgoing{ID: id, To: to, Content: localapi.NewContent("", []byte(id))})
		if err == nil && a.ID != id {
			t.Errorf("accepted as %s", a.ID)
		}
		return err
	}
	outcomes := make(chan error)
	for range 8 { // at the same time too
		go func() { outcomes <- again(id, bob.Link) }()
	}
	for range 8 {
		s.Check(<-outcomes)
	}
	m, err := alice.Client.Wait(s.ctx, id, localapi.Delivered, 20*time.Second)
	if s.Check(err); m.State != localapi.Delivered {
		t.Fatalf("%+v", m)
	}
	alice.Kill()
	if alice, err = alice.Again(s.ctx); err != nil {
		t.Fatal(err)
	}
	s.Check(again(id, bob.Link))
	s.Check(again(other, bob.Link))
	if got := s.await(bob, 2); len(got) != 2 || got[0].Body != id || got[1].Body != other {
		t.Errorf("the inbox has %+v", got)
	}
	carol := s.Start("carol")
	if err := again(id, carol.Link); err == nil || !strings.Contains(err.Error(), "another message") {
		t.Errorf("one id for two recipients: %v", err)
	}
	for _, bad := range []string{"x", "01a21565-4f33-43b7-b084-78efb42442d1"} {
		if err := again(bad, bob.Link); err == nil {
			t.Errorf("%q is taken for an id", bad)
		}
	}
	s.groupOnce(alice)
}

// groupOnce is the same for a group.
func (s *scene) groupOnce(d *proc.Daemon) {
	s.T.Helper()
	const record = "01a215654f3373b7b08478efb42442d1"
	g, err := d.Client.CreateGroup(s.ctx, localapi.NewGroup{Name: "alone"})
	s.Check(err)
	write := func() {
		s.T.Helper()
		sent, err := d.Client.SendToGroupOnce(s.ctx, g.Group, localapi.GroupOutgoing{ID: record, Content: localapi.NewContent("", []byte("once"))})
		if s.Check(err); sent.ID != record {
			s.T.Errorf("written as %+v", sent)
		}
	}
	write()
	write()
	_, err = d.Client.WaitGroup(s.ctx, g.Group, record, localapi.GroupAccepted, 20*time.Second)
	s.Check(err)
	d.Kill()
	again, err := d.Again(s.ctx)
	s.Check(err)
	d = again
	write()
	log, err := d.Client.GroupLog(s.ctx, g.Group, localapi.GroupLogQuery{})
	if s.Check(err); len(log) != 1 || log[0].ID != record {
		s.T.Errorf("the log has %+v", log)
	}
	if _, err := d.Client.SendToGroupOnce(s.ctx, g.Group, localapi.GroupOutgoing{ID: "x", Content: localapi.NewContent("", []byte("no"))}); err == nil {
		s.T.Error("anything is taken for an id")
	}
}
