// Tomd is the one binary of ToM: the daemon, and every command that talks to
// it. A file here is a subcommand: a thin function over the typed client of
// the local interface.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(mainExit())
}

func mainExit() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// From the first signal on the system's own handling is back: a second one
	// ends the process at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr})
}

// run is the whole program: it arranges the arguments, finds the command, and
// turns its error into words and an exit code.
func run(ctx context.Context, args []string, t *terminal) int {
	app := newApp(t)
	if len(args) > 0 && args[0] == completeCommand {
		return t.report(complete(ctx, app, args[1:], t))
	}
	t.json = wantsJSON(args)
	arranged, err := arrange(specOf(app), args)
	if err == nil {
		err = app.RunContext(ctx, append([]string{app.Name}, arranged...))
	}
	return t.report(err)
}
