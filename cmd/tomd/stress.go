package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/cmd/tomd/stress"
	"github.com/tom-protocol/tom/node/localapi"
)

func stressCommand(t *terminal) *cli.Command {
	command := &cli.Command{
		Name:  "stress",
		Usage: "put load on daemons, break them, and tell what became of every message",
		Description: "Without --to each phase runs daemons of its own, on this machine, and touches no\n" +
			"other. With --to it sends from your daemon to where tomd stress listen runs.\n" +
			"Lines of JSON go to standard output, a table to standard error. It exits with 1\n" +
			"if a phase has not passed.",
	}
	command.Subcommands = append(command.Subcommands, stressListen(t))
	for _, p := range stress.Phases() {
		command.Subcommands = append(command.Subcommands, stressPhase(t, p[0], p[1]))
	}
	command.Subcommands = append(command.Subcommands, stressPhase(t, stress.Campaign, "all of them, one after the other"))
	return command
}

func stressListen(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "listen",
		Usage: "count what tomd stress --to sends to the daemon that runs here, and tell it",
		Action: action(func(c *cli.Context, client *localapi.Client, _ []string) error {
			return stress.Listen(c.Context, client, t.out, t.err)
		}),
	}
}

func stressPhase(t *terminal, name, about string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: about,
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "duration", Value: 2 * time.Minute, Usage: "about how long it takes"},
			&cli.StringFlag{Name: "to", Usage: "send to `PEER`, where tomd stress listen runs, from the daemon that runs here"},
			&cli.StringFlag{Name: "report", Usage: "write a report with plots to `FILE`, in HTML"},
			&cli.Float64Flag{Name: "rate", Usage: "send `N` messages a second, where a phase sends steadily", DefaultText: "as the phase chooses"},
			&cli.IntFlag{Name: "size", Value: 256, Usage: "send messages of `BYTES`"},
			&cli.DurationFlag{Name: "lifetime", Usage: "how long messages live", DefaultText: "24h"},
			&cli.DurationFlag{Name: "kill-every", Usage: "how often endurance kills each side; below zero never", DefaultText: "four times in all"},
			&cli.DurationFlag{Name: "away", Usage: "how long who was killed stays away", DefaultText: "as the phase chooses"},
			&cli.DurationFlag{Name: "patience", Value: time.Minute, Usage: "how long the last messages may take"},
			&cli.StringFlag{Name: "weather", Usage: "spoil what the daemons of chaos say and hear by `WEATHER`, as tomd start --chaos takes it", DefaultText: "a little of everything"},
			&cli.BoolFlag{Name: "low-memory", Usage: "start the daemons with --low-memory"},
			&cli.Uint64Flag{Name: "seed", Usage: "choose at random as it did with `SEED`", DefaultText: "another each time"},
		},
		Action: func(c *cli.Context) error {
			if _, err := arguments(c); err != nil {
				return err
			}
			return runStress(c, t, name)
		},
	}
}

func runStress(c *cli.Context, t *terminal, name string) error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cfg := stress.Config{
		Executable: executable, To: c.String("to"), Duration: c.Duration("duration"), Rate: c.Float64("rate"), Size: c.Int("size"),
		Lifetime: c.Duration("lifetime"), KillEvery: c.Duration("kill-every"), Away: c.Duration("away"),
		Patience: c.Duration("patience"), Seed: c.Uint64("seed"), Report: c.String("report"),
		Verify: verifyStressed, Out: t.out, Err: t.err,
	}
	cfg.Weather = c.String("weather")
	if c.Bool("low-memory") {
		cfg.DaemonArgs = append(cfg.DaemonArgs, "--low-memory")
	}
	play := func(client *localapi.Client) error {
		cfg.Client = client
		err := stress.Run(c.Context, cfg, name)
		if failed := (*stress.FailedError)(nil); errors.As(err, &failed) {
			return &notReached{"not passed: " + strings.Join(failed.Phases, ", ")}
		}
		return err
	}
	if cfg.To == "" {
		return play(nil)
	}
	return withClient(c, play)
}
