package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

// newApp declares all commands. Global flags are declared here only.
func newApp(t *terminal) *cli.App {
	app := &cli.App{
		Name:  "tomd",
		Usage: "end-to-end encrypted messages between your devices, without servers",
		Description: "Start a daemon with tomd start, share what tomd id prints, and send with\n" +
			"tomd send PEER TEXT. A PEER is a petname, a peer id or a contact link. Flags may\n" +
			"stand anywhere; -- ends them, and - is standard input. With --help every command\n" +
			"says more.\n\n" +
			"Exit codes: 0 reached, 1 not reached in time, 2 wrong usage, 3 no daemon,\n" +
			"4 refused, with the reason.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "data", Usage: "keep everything in `DIR`", EnvVars: []string{"TOM_DATA"}, Value: defaultDataDir(), DefaultText: "$XDG_DATA_HOME/tom"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON, one object a line"},
			&cli.StringFlag{Name: "api", Usage: "talk to the daemon on TCP `ADDR` with the token of the data directory; with start: listen there too"},
			helpFlag(),
		},
		Commands: []*cli.Command{
			startCommand(t), stopCommand(t), statusCommand(t), idCommand(t),
			peersCommand(t), connectCommand(t), contactCommand(t),
			findCommand(t), relaysCommand(t), mailboxCommand(t), doctorCommand(t),
			muteCommand(t, true), muteCommand(t, false),
			sendCommand(t), inboxCommand(t), traceCommand(t), receiptCommand(t),
			groupCommand(t),
			chatCommand(t), botCommand(t),
			stressCommand(t),
			logCommand(t), versionCommand(t), completionCommand(t),
		},
		Writer:                    t.out,
		ErrWriter:                 t.err,
		Reader:                    t.in,
		HideHelp:                  true, // arrange understands help and --version
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		OnUsageError:              onUsageError,
		ExitErrHandler:            func(*cli.Context, error) {}, // run decides
	}
	prepare(app.Commands)
	return app
}

// helpFlag takes the place of urfave/cli's, which is one for the process.
func helpFlag() cli.Flag {
	return &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show this", DisableDefaultText: true}
}

// prepare makes errors ours, and keeps urfave/cli from taking the word "help"
// among a command's arguments for a command.
func prepare(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.HideHelp = true
		c.Flags = append(c.Flags, helpFlag())
		prepare(c.Subcommands)
	}
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	// The flag package writes flags with one dash, we with two.
	text := strings.ReplaceAll(err.Error(), " -", " --")
	return usagef("%s: %s --help shows how it is meant", text, c.Command.HelpName)
}

// defaultDataDir is where a user's programs keep their data.
func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tom")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(home, "AppData", "Local", "tom")
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "tom")
	default:
		return filepath.Join(home, ".local", "share", "tom")
	}
}

func dataDir(c *cli.Context) (string, error) {
	dir := c.String("data")
	if dir == "" {
		return "", usagef("no home directory is known: name the data directory with --data")
	}
	return dir, nil
}

// withClient runs f with a client of the daemon that the global flags name.
func withClient(c *cli.Context, f func(*localapi.Client) error) error {
	dir, err := dataDir(c)
	if err != nil {
		return err
	}
	client, err := localapi.NewClient(dir, c.String("api"))
	if err != nil {
		return err
	}
	defer client.Close()
	return f(client)
}

// arguments checks the number of a command's arguments against its ArgsUsage,
// where those in brackets may be left out, and pads with empty strings.
func arguments(c *cli.Context) ([]string, error) {
	names := strings.Fields(c.Command.ArgsUsage)
	least := 0
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			least++
		}
	}
	args := c.Args().Slice()
	command := strings.TrimPrefix(c.Command.HelpName, c.App.Name+" ")
	switch {
	case len(names) == 0 && len(args) > 0:
		return nil, usagef("%s takes no argument, and there is %q", command, args[0])
	case len(args) < least:
		return nil, usagef("%s needs %s", command, strings.Join(names[len(args):], " "))
	case len(args) > len(names):
		return nil, usagef("%s takes %s, and there is %q more: put text with spaces in quotes", command, strings.Join(names, " "), args[len(names)])
	}
	return append(args, make([]string, len(names)-len(args))...), nil
}

// action is a command that needs the daemon and its arguments.
func action(f func(c *cli.Context, client *localapi.Client, args []string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		args, err := arguments(c)
		if err != nil {
			return err
		}
		return withClient(c, func(client *localapi.Client) error { return f(c, client, args) })
	}
}

// usageError is a command line that means nothing.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// notReached is what was asked for and did not come about in time.
type notReached struct{ message string }

func (e *notReached) Error() string { return e.message }

var errInterrupted = errors.New("interrupted")
