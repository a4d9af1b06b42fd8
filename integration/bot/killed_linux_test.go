package bot

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A command that is at work ends with a bot that is killed.
func TestACommandEndsWithABotThatIsKilled(t *testing.T) {
	t.Parallel()
	s := newScene(t, time.Minute)
	alice, home := s.Start("alice"), s.Start("home")
	path := filepath.Join(t.TempDir(), "pipe")
	s.Check(syscall.Mkfifo(path, 0o600))
	pipe, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	s.Check(err)
	defer pipe.Close()
	held, err := os.OpenFile(path, os.O_WRONLY, 0) // until the command holds it: nobody would be an end
	s.Check(err)
	late, _ := s.ctx.Deadline()
	s.Check(pipe.SetReadDeadline(late))

	b := s.bot("home", "--exec", "sh", "--", "-c", `exec 3>"$1"; echo at work >&3; exec sleep 600`, "sh", path)
	b.until("ready")
	s.send(alice, home.Link, "hello")
	hears := bufio.NewReader(pipe)
	line, err := hears.ReadString('\n')
	if s.Check(err); line != "at work\n" {
		t.Fatalf("the command says %q", line)
	}
	s.Check(held.Close())
	b.kill()
	if rest, err := io.ReadAll(hears); err != nil || len(rest) > 0 {
		t.Errorf("it goes on: %q, %v", rest, err)
	}
}
