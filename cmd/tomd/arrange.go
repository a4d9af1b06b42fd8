package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// spec is what arrange must know of a command: its flags (whether each takes a
// value), its subcommands, and whether it does something without one.
type spec struct {
	flags map[string]bool
	subs  map[string]*spec
	names []string // of the subcommands, in the order of the help
	args  []string // what it takes, as its help says
	runs  bool
}

// specOf reads the declarations.
func specOf(app *cli.App) *spec {
	root := &spec{flags: flagsOf(app.Flags), subs: map[string]*spec{}}
	root.add(app.Commands)
	return root
}

func (s *spec) add(commands []*cli.Command) {
	for _, c := range commands {
		sub := &spec{flags: flagsOf(c.Flags), subs: map[string]*spec{}, args: strings.Fields(c.ArgsUsage), runs: c.Action != nil}
		sub.add(c.Subcommands)
		for _, name := range c.Names() {
			s.subs[name] = sub
		}
		if !c.Hidden {
			s.names = append(s.names, c.Name)
		}
	}
}

func flagsOf(flags []cli.Flag) map[string]bool {
	declared := map[string]bool{}
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		for _, name := range f.Names() {
			declared[name] = ok && doc.TakesValue()
		}
	}
	return declared
}

// words is a command line taken apart.
type words struct {
	flags      []flagWord
	positional []string // commands first, then arguments
}

// flagWord is a flag as it was written, with its value.
type flagWord struct {
	name   string
	tokens []string
}

// arrange puts the words of a command line into the one order urfave/cli
// understands: global flags, command, its flags, --, arguments. A flag that is
// declared nowhere is an error, and so never becomes part of a message.
func arrange(root *spec, args []string) ([]string, error) {
	line, err := split(root, args)
	if err != nil {
		return nil, err
	}
	line.shortcuts()
	path, err := line.command(root)
	if err != nil {
		return nil, err
	}
	placed := make([][]string, len(path))
	for _, f := range line.flags {
		level, err := path.levelOf(f)
		if err != nil {
			return nil, err
		}
		placed[level] = append(placed[level], f.tokens...)
	}
	var out []string
	for i, step := range path {
		if i > 0 {
			out = append(out, step.name)
		}
		out = append(out, placed[i]...)
	}
	if rest := line.positional[len(path)-1:]; len(rest) > 0 && !line.has("help", "h") {
		out = append(append(out, "--"), rest...)
	}
	return out, nil
}

// split tells flags from other words. Which flags take a value is asked of all
// commands together, as a flag may stand before its command.
func split(root *spec, args []string) (words, error) {
	arity := map[string]bool{"version": false}
	root.collect(arity)
	var line words
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if word == "--" {
			line.positional = append(line.positional, args...)
			break
		}
		if word == "-" || !strings.HasPrefix(word, "-") {
			line.positional = append(line.positional, word)
			continue
		}
		name, _, inline := strings.Cut(strings.TrimLeft(word, "-"), "=")
		takesValue, known := arity[name]
		if !known {
			return words{}, usagef("there is no flag %s: put -- before text that starts with a dash", flagText(name))
		}
		f := flagWord{name, []string{word}}
		if takesValue && !inline {
			if len(args) == 0 || args[0] == "--" {
				return words{}, usagef("flag %s needs a value", flagText(name))
			}
			f.tokens = append(f.tokens, args[0])
			args = args[1:]
		}
		line.flags = append(line.flags, f)
	}
	return line, nil
}

func (s *spec) collect(arity map[string]bool) {
	for name, takesValue := range s.flags {
		arity[name] = takesValue
	}
	for _, sub := range s.subs {
		sub.collect(arity)
	}
}

// shortcuts turns help X into X --help, and --version into version.
func (line *words) shortcuts() {
	if line.has("version") {
		line.positional = []string{"version"}
		line.flags = slices.DeleteFunc(line.flags, func(f flagWord) bool { return f.name == "version" })
	}
	if len(line.positional) > 0 && line.positional[0] == "help" {
		line.positional = line.positional[1:]
		line.flags = append(line.flags, flagWord{"help", []string{"--help"}})
	}
}

func (line *words) has(names ...string) bool {
	return slices.ContainsFunc(line.flags, func(f flagWord) bool { return slices.Contains(names, f.name) })
}

// path is the way from the program to a command.
type path []step

type step struct {
	name string
	*spec
}

func (p path) String() string {
	if len(p) == 1 {
		return "tomd"
	}
	var names []string
	for _, step := range p[1:] {
		names = append(names, step.name)
	}
	return strings.Join(names, " ")
}

// command finds the command among the first words. Only with --help, or with
// no word at all, may one that does nothing by itself stand alone.
func (line *words) command(root *spec) (path, error) {
	p := path{{"", root}}
	for _, word := range line.positional {
		here := p[len(p)-1]
		sub, ok := here.subs[word]
		if !ok {
			break
		}
		p = append(p, step{word, sub})
	}
	here := p[len(p)-1]
	rest := line.positional[len(p)-1:]
	switch {
	case len(here.subs) == 0:
		return p, nil
	case len(rest) > 0 && len(p) == 1:
		return nil, usagef("there is no command %q: tomd help lists them", rest[0])
	case len(rest) > 0:
		return nil, usagef("%s has no command %q: it has %s", p, rest[0], strings.Join(here.names, ", "))
	case len(p) > 1 && !here.runs && !line.has("help", "h"):
		return nil, usagef("%s needs a command: %s", p, strings.Join(here.names, ", "))
	default:
		return p, nil
	}
}

// levelOf is the command of the path that declares a flag, the last one first.
func (p path) levelOf(f flagWord) (int, error) {
	for i := len(p) - 1; i >= 0; i-- {
		if _, ok := p[i].flags[f.name]; ok {
			return i, nil
		}
	}
	return 0, usagef("%s takes no flag %s: put -- before text that starts with a dash", p, flagText(f.name))
}

func flagText(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return fmt.Sprintf("--%s", name)
}

// wantsJSON says, for errors in the command line itself, that --json is on it.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "-json")
}
