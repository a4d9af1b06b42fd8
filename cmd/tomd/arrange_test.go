package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
	"pgregory.net/rapid"
)

func testSpec() *spec { return specOf(newApp(&terminal{out: &bytes.Buffer{}, err: &bytes.Buffer{}})) }

func TestArrangePutsFlagsWhereTheyBelong(t *testing.T) {
	t.Parallel()
	tests := []struct{ typed, want string }{
		{"", ""},
		{"status", "status"},
		{"status --json", "--json status"},
		{"send bob hi", "send -- bob hi"},
		{"send bob hi --json --wait sent --data /d", "--json --data /d send --wait sent -- bob hi"},
		{"--wait sent send --timeout=5s bob hi", "send --wait sent --timeout=5s -- bob hi"},
		{"--data=/d --wait=read send bob -", "--data=/d send --wait=read -- bob -"},
		{"send --wait delivered -- bob --wait", "send --wait delivered -- bob --wait"},
		{"send bob -- -x", "send -- bob -x"},
		{"send -- bob --", "send -- bob --"},
		{"-- send bob hi", "send -- bob hi"},
		{"send - hi", "send -- - hi"},
		{"send bob send", "send -- bob send"},
		{"send help hi", "send -- help hi"},
		{"send bob status", "send -- bob status"},
		{"contact add x --json y", "--json contact add -- x y"},
		{"contact --data d add x", "--data d contact add -- x"},
		{"id", "id"},
		{"id --qr", "id --qr"},
		{"id export f --data d", "--data d id export -- f"},
		{"inbox --since 5 --follow", "inbox --since 5 --follow"},
		{"start --listen a --local --listen b", "start --listen a --local --listen b"},
		{"send --data -x bob hi", "--data -x send -- bob hi"},
		{"send --help", "send --help"},
		{"--help contact", "contact --help"},
		{"contact add -h", "contact add -h"},
		{"help send", "send --help"},
		{"help contact add", "contact add --help"},
		{"help", "--help"},
		{"send bob hi --help", "send --help"},
		{"--version", "version"},
		{"send bob --version --json", "--json version"},
		{"send -json bob hi", "-json send -- bob hi"},
	}
	for _, tt := range tests {
		got, err := arrange(testSpec(), strings.Fields(tt.typed))
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%q becomes %q (%v), want %q", tt.typed, strings.Join(got, " "), err, tt.want)
		}
	}
}

func TestArrangeRefusesWhatMeansNothing(t *testing.T) {
	t.Parallel()
	tests := []struct{ typed, says string }{
		{"send bob hi --frob", "no flag --frob"},
		{"send bob -5", "no flag -5"},
		{"send bob hi --unread", "send takes no flag --unread"},
		{"send bob hi --wait", "--wait needs a value"},
		{"send bob --wait -- hi", "--wait needs a value"},
		{"status --qr", "status takes no flag --qr"},
		{"--follow", "tomd takes no flag --follow"},
		{"frob", `no command "frob"`},
		{"contact", "contact needs a command: add, list, remove, rename"},
		{"contact frob x", `contact has no command "frob"`},
		{"id frob", `id has no command "frob"`},
		{"receipt --json", "needs a command"},
		{"help frob", `no command "frob"`},
		{"--unknown", "no flag --unknown"},
	}
	for _, tt := range tests {
		got, err := arrange(testSpec(), strings.Fields(tt.typed))
		var usage *usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q becomes %q, %v; want an error that says %q", tt.typed, got, err, tt.says)
		}
	}
}

// The text of a message arrives as it was typed, or the command line is refused.
func TestNoFlagEverBecomesPartOfAMessage(t *testing.T) {
	t.Parallel()
	root := testSpec()
	words := []string{"--json", "--wait", "sent", "--data", "/d", "--", "-", "-x", "--follow", "hi", "--wait=read", "help", "send"}
	rapid.Check(t, func(t *rapid.T) {
		typed := append([]string{"send"}, rapid.SliceOfN(rapid.SampledFrom(words), 0, 8).Draw(t, "typed")...)
		got, err := arrange(root, typed)
		if err != nil {
			return
		}
		var args []string
		if end := slices.Index(got, "--"); end >= 0 {
			args = got[end+1:]
		}
		end := slices.Index(typed, "--")
		for i, arg := range args {
			after := end >= 0 && i >= len(args)-(len(typed)-end-1)
			if strings.HasPrefix(arg, "-") && arg != "-" && !after {
				t.Fatalf("%q: %q became an argument", typed, arg)
			}
		}
		if len(got) < len(typed)-1 && !slices.Contains(got, "--help") {
			t.Fatalf("%q lost words: %q", typed, got)
		}
	})
}

// A flag may stand before its command, so one name cannot mean two things.
func TestFlagsOfOneNameTakeTheSame(t *testing.T) {
	t.Parallel()
	arity := map[string]bool{}
	var check func(s *spec, at string)
	check = func(s *spec, at string) {
		for name, takesValue := range s.flags {
			if before, seen := arity[name]; seen && before != takesValue {
				t.Errorf("flag %s of %s differs from another's", name, at)
			}
			arity[name] = takesValue
		}
		for name, sub := range s.subs {
			check(sub, at+" "+name)
		}
	}
	check(testSpec(), "tomd")
}

func TestGlobalFlagsAreDeclaredOnce(t *testing.T) {
	t.Parallel()
	app := newApp(&terminal{})
	global := flagsOf(app.Flags)
	var check func(commands []*cli.Command)
	check = func(commands []*cli.Command) {
		for _, c := range commands {
			for name := range flagsOf(c.Flags) {
				if _, twice := global[name]; twice && name != "help" && name != "h" {
					t.Errorf("%s declares the global flag %s", c.Name, name)
				}
			}
			check(c.Subcommands)
		}
	}
	check(app.Commands)
}

func FuzzArrange(f *testing.F) {
	f.Add("send\x00bob\x00--\x00--wait")
	f.Fuzz(func(_ *testing.T, typed string) {
		_, _ = arrange(testSpec(), strings.Split(typed, "\x00"))
	})
}
