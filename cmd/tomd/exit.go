package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

// The exit codes, which scripts rely on.
const (
	exitReached    = 0
	exitNotReached = 1
	exitUsage      = 2
	exitNoDaemon   = 3
	exitRefused    = 4
)

// exitCode says how a command ended.
func exitCode(err error) int {
	var (
		usage *usageError
		late  *notReached
		none  *localapi.NoDaemonError
		known *localapi.Error
		topic cli.ExitCoder // urfave/cli's own: no such help topic
	)
	switch {
	case err == nil:
		return exitReached
	case errors.As(err, &usage), errors.As(err, &topic):
		return exitUsage
	case errors.As(err, &late), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errInterrupted):
		return exitNotReached
	case errors.As(err, &none):
		return exitNoDaemon
	case errors.As(err, &known):
		return exitOf(known.Code)
	default:
		return exitRefused
	}
}

func exitOf(code localapi.Code) int {
	switch code {
	case localapi.CodeBadRequest, localapi.CodeUnknownPeer:
		return exitUsage
	case localapi.CodeStopping:
		return exitNoDaemon
	case localapi.CodeUnreachable:
		return exitNotReached
	default:
		return exitRefused
	}
}

// report prints an error as one sentence, or as JSON, and gives the exit code.
func (t *terminal) report(err error) int {
	code := exitCode(err)
	if err == nil {
		return code
	}
	if errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	if t.json {
		t.printJSON(t.err, struct {
			Error *localapi.Error `json:"error"`
		}{asAPIError(err, code)})
		return code
	}
	fmt.Fprintln(t.err, "tomd: "+printable(err.Error()))
	return code
}

// asAPIError gives every error the shape errors have in JSON.
func asAPIError(err error, exit int) *localapi.Error {
	var known *localapi.Error
	if errors.As(err, &known) {
		return known
	}
	codes := map[int]localapi.Code{
		exitNotReached: "not_reached",
		exitUsage:      localapi.CodeBadRequest,
		exitNoDaemon:   "no_daemon",
		exitRefused:    localapi.CodeRefused,
	}
	return localapi.Errorf(codes[exit], "%s", err)
}
