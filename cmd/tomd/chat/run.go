package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"github.com/tom-protocol/tom/node/localapi"
)

// Config says what to chat about, and on what.
type Config struct {
	Client *localapi.Client
	Open   string   // a person's or group's name, id or link; empty: the first in the list
	Layout string   // of times; "15:04" if empty
	Env    []string // of the terminal
	In     io.Reader
	Out    io.Writer
}

// NoTerminalError says why there can be no chat here.
type NoTerminalError struct{ Why string }

// Error says what to do.
func (e *NoTerminalError) Error() string {
	return e.Why + ": tomd send and tomd inbox work anywhere"
}

// Run shows the chat until the person leaves it or ctx ends.
func Run(ctx context.Context, cfg Config) error {
	if err := usable(cfg); err != nil {
		return err
	}
	if _, err := cfg.Client.Status(ctx); err != nil {
		return err // before the screen is taken, so that it can be read
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(cfg.In), tea.WithOutput(cfg.Out), tea.WithEnvironment(cfg.Env),
		tea.WithoutSignalHandler(), // ctx has it
	}
	if variable(cfg.Env, "NO_COLOR") != "" {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	s := newState(cfg.Layout, time.Local, cfg.Open)
	s.now = time.Now()
	p := tea.NewProgram(program{ctx, cfg.Client, s}, options...)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		follow(ctx, cfg.Client, func(in any) { p.Send(in) })
	}()
	_, err := p.Run()
	cancel()
	<-followed
	if errors.Is(err, tea.ErrProgramKilled) {
		return nil // by ctx
	}
	return err
}

// usable says whether a screen can be had.
func usable(cfg Config) error {
	in, ok := cfg.In.(*os.File)
	out, ok2 := cfg.Out.(*os.File)
	if !ok || !ok2 || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return &NoTerminalError{"tomd chat needs a terminal"}
	}
	if kind := variable(cfg.Env, "TERM"); kind == "" || kind == "dumb" {
		return &NoTerminalError{fmt.Sprintf("this terminal (TERM=%s) cannot move its cursor, which tomd chat needs", kind)}
	}
	return nil
}

// variable reads an environment.
func variable(env []string, name string) string {
	i := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if i < 0 {
		return ""
	}
	return env[i][len(name)+1:]
}
