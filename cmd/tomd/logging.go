package main

import (
	"log/slog"
	"os"
	"slices"
	"strings"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"

	"github.com/tom-protocol/tom/node/localapi"
)

var logLevels = []string{"debug", "info", "warn", "error"}

// setUpLogs sends what libraries log to standard error, from the given level
// on. It must run before the first of them logs, so before any host is made:
// libp2p's shim looks for its handler only once.
func setUpLogs(level string) error {
	cfg := golog.GetConfig() // honours GOLOG_LOG_FMT and GOLOG_FILE
	if os.Getenv("GOLOG_LOG_FMT") == "" {
		cfg.Format = golog.PlaintextOutput
	}
	golog.SetupLogging(cfg)
	gologshim.SetDefaultHandler(golog.SlogHandler())
	slog.SetDefault(slog.New(golog.SlogHandler().WithAttrs([]slog.Attr{slog.String("logger", "slog")})))
	if level == "" && os.Getenv("GOLOG_LOG_LEVEL") != "" {
		return nil
	}
	return setLogLevel(level)
}

// setLogLevel sets the level of all loggers.
func setLogLevel(level string) error {
	if level == "" {
		level = "error"
	}
	if !slices.Contains(logLevels, level) {
		return localapi.Errorf(localapi.CodeBadRequest, "no log level is called %q", level).
			WithHint("use one of %s", strings.Join(logLevels, ", "))
	}
	return golog.SetLogLevel("*", level)
}

// apiLog is where the local interface logs.
func apiLog() *slog.Logger {
	return slog.New(golog.SlogHandler().WithAttrs([]slog.Attr{slog.String("logger", "tom/api")}))
}
