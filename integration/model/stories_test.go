package model_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/model"
)

var update = flag.Bool("update", false, "rewrite what the stories tell")

// Each file in testdata is a story: lines that begin with "> " say what is done
// to a group, the lines below each what came of it. With -update what came of it
// is written anew.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			t.Parallel()
			tell(t, f)
		})
	}
}

func tell(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	told, w := retell(t, string(b))
	for _, broken := range w.Broken {
		t.Error(broken)
	}
	if *update {
		if err := os.WriteFile(file, []byte(told), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if told != string(b) {
		t.Errorf("it goes otherwise now; if that is meant, run the test with -update:\n%s", told)
	}
}

// retell does what the story says and returns it with what comes of it.
func retell(t *testing.T, story string) (string, *model.World) {
	t.Helper()
	var out strings.Builder
	var w *model.World
	for in := bufio.NewScanner(strings.NewReader(story)); in.Scan(); {
		line := in.Text()
		switch {
		case strings.HasPrefix(line, "# ") || line == "":
			fmt.Fprintln(&out, line)
		case strings.HasPrefix(line, "> "):
			fmt.Fprintln(&out, line)
			w = act(t, w, strings.Fields(line[2:]))
			for _, l := range w.Trace {
				fmt.Fprintln(&out, l)
			}
			w.Trace = nil
		}
	}
	return out.String(), w
}

// act does what one line says.
func act(t *testing.T, w *model.World, words []string) *model.World {
	t.Helper()
	verb, rest := words[0], words[1:]
	if verb == "group" {
		n, err := strconv.Atoi(rest[0])
		if err != nil {
			t.Fatal(err)
		}
		return model.New(model.Options{Nodes: n, Relay: len(rest) > 1, Seed: 1, Trace: true, Bytes: true})
	}
	who := func(i int) *model.Node {
		n := w.Named(rest[i])
		if n == nil {
			t.Fatalf("%s: who is %s?", verb, rest[i])
		}
		return n
	}
	switch verb {
	case "wait":
		d, err := time.ParseDuration(rest[0])
		if err != nil {
			t.Fatal(err)
		}
		w.Run(d)
	case "write":
		for i := range rest {
			w.Write(who(i))
		}
	case "crash":
		for i := range rest {
			w.Crash(who(i), true)
		}
	case "restart":
		w.Restart(who(0))
	case "pause":
		w.Pause(who(0))
	case "resume":
		w.Resume(who(0))
	case "alone":
		side := make(map[int]bool)
		for i := range rest {
			side[who(i).ID] = true
		}
		w.Split(func(i int) bool { return side[i] })
	case "cut":
		w.Cut(who(0).ID, who(1).ID)
	case "heal":
		w.Heal()
	case "move":
		w.Move(who(0), who(1))
	case "list": // an admin, and the relays
		var relays []*model.Node
		for i := range rest[1:] {
			relays = append(relays, who(i+1))
		}
		w.List(who(0), relays...)
	case "kick":
		w.Kick(who(0), who(1))
	case "resign":
		w.Resign(who(0))
	case "log":
		w.TellLog(who(0))
	case "agree":
		w.Agree(60 * time.Second)
	default:
		t.Fatalf("no such thing: %s", verb)
	}
	return w
}
