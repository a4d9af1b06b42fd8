package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

// completeCommand is what the shells' scripts call, with the words typed so
// far; the last is the one to complete.
const completeCommand = "__complete"

var completionScripts = map[string]string{
	"bash": `_tomd() {
  local IFS=$'\n'
  COMPREPLY=($(tomd __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _tomd tomd
`,
	"zsh": `#compdef tomd
_tomd() {
  local -a found
  found=("${(@f)$(tomd __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n "$found" ]] && compadd -a found || _files
}
compdef _tomd tomd
`,
	"fish": `function __tomd_complete
  set -l words (commandline -opc)[2..-1] (commandline -ct)
  tomd __complete $words 2>/dev/null
end
complete -c tomd -a '(__tomd_complete)'
`,
}

func completionCommand(t *terminal) *cli.Command {
	shells := slices.Sorted(maps.Keys(completionScripts))
	return &cli.Command{
		Name:        "completion",
		Usage:       "print what makes a shell complete commands, flags and petnames: " + strings.Join(shells, ", "),
		ArgsUsage:   "SHELL",
		Description: "For example:  source <(tomd completion bash)",
		Action: func(c *cli.Context) error {
			args, err := arguments(c)
			if err != nil {
				return err
			}
			script, ok := completionScripts[args[0]]
			if !ok {
				return usagef("no completion for %q: there is one for %s", args[0], strings.Join(shells, ", "))
			}
			_, err = io.WriteString(t.out, script)
			return err
		},
	}
}

// complete prints, a line each, what the last of the words may become.
func complete(ctx context.Context, app *cli.App, typed []string, t *terminal) error {
	if len(typed) == 0 {
		typed = []string{""}
	}
	known, last := typed[:len(typed)-1], typed[len(typed)-1]
	candidates, wantsPeer := candidates(specOf(app), known, last)
	if wantsPeer {
		candidates = petnames(ctx, known)
	}
	for _, word := range candidates {
		if strings.HasPrefix(word, last) {
			fmt.Fprintln(t.out, word)
		}
	}
	return nil
}

// candidates are the words that may follow those known; wantsPeer says that
// petnames may.
func candidates(root *spec, known []string, last string) (words []string, wantsPeer bool) {
	line, err := split(root, known)
	if err != nil {
		return nil, false
	}
	p := path{{"", root}}
	for _, word := range line.positional {
		sub, ok := p[len(p)-1].subs[word]
		if !ok {
			break
		}
		p = append(p, step{word, sub})
	}
	here := p[len(p)-1]
	if strings.HasPrefix(last, "-") && !slices.Contains(known, "--") {
		return p.flagNames(), false
	}
	given := len(line.positional) - (len(p) - 1)
	switch {
	case given == 0 && len(here.subs) > 0:
		return here.names, false
	case given >= len(here.args):
		return nil, false
	case here.args[given] == "SHELL":
		return slices.Sorted(maps.Keys(completionScripts)), false
	case here.args[given] == "LEVEL":
		return logLevels, false
	default:
		return nil, here.args[given] == "PEER"
	}
}

// flagNames are the flags of all commands of the path.
func (p path) flagNames() []string {
	names := map[string]bool{"--help": true}
	for _, step := range p {
		for name := range step.flags {
			if len(name) > 1 {
				names[flagText(name)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// petnames asks the daemon the words name; without one there are none.
func petnames(ctx context.Context, known []string) []string {
	dir := defaultDataDir()
	for i, word := range known {
		if value, ok := strings.CutPrefix(word, "--data="); ok {
			dir = value
		} else if word == "--data" && i+1 < len(known) {
			dir = known[i+1]
		}
	}
	client, err := localapi.NewClient(dir, "")
	if err != nil {
		return nil
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	contacts, err := client.Contacts(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range contacts {
		if c.Name != "" {
			names = append(names, c.Name)
		}
	}
	return names
}
