package worlds

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tom-protocol/tom/node"
)

// childEnv makes the test binary be a node in a process of its own, which can
// be killed. Its value is the data directory.
const childEnv = "TOM_WORLDS_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := beChild(dir, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// said is a line that a child prints.
type said struct {
	Link     string `json:"link,omitempty"`     // the first
	Accepted string `json:"accepted,omitempty"` // id of a message that is accepted
}

// beChild runs a node that sends each line it is told, a contact link and a
// text, and says under which id it was accepted.
func beChild(dir string, orders io.Reader, out io.Writer) error {
	n, err := node.New(node.Config{DataDir: dir, Local: true, NoRendezvous: true})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	say := json.NewEncoder(out)
	if err := say.Encode(said{Link: n.Link()}); err != nil {
		return err
	}
	for in := bufio.NewScanner(orders); in.Scan(); {
		to, text, _ := strings.Cut(in.Text(), " ")
		id, err := n.Send(ctx, to, node.Text(text))
		if err != nil {
			return err
		}
		if err := say.Encode(said{Accepted: id.String()}); err != nil {
			return err
		}
	}
	cancel()
	return <-done
}

// child is a node in a process of its own.
type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	link string
	gone bool
}

func spawn(t *testing.T, dir string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command(self, "-test.run=^$")}
	c.cmd.Env, c.cmd.Stderr = append(os.Environ(), childEnv+"="+dir), os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	c.out = json.NewDecoder(out)
	first, err := c.hear()
	if err != nil {
		t.Fatal(err)
	}
	c.link = first.Link
	return c
}

func (c *child) hear() (s said, err error) { return s, c.out.Decode(&s) }

// kill ends the process without a warning.
func (c *child) kill() {
	if c.gone {
		return
	}
	c.gone = true
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}
