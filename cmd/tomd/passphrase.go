package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// passphrase takes TOM_PASSPHRASE; else it asks at a terminal, twice for a new
// one; else it reads the first line of standard input.
func (t *terminal) passphrase(fresh bool) (string, error) {
	if p, ok := os.LookupEnv("TOM_PASSPHRASE"); ok {
		return notEmpty(p)
	}
	in, ok := t.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(t.in, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read passphrase: %w", err)
		}
		return notEmpty(strings.TrimRight(line, "\r\n"))
	}
	first, err := t.ask(in, "passphrase: ")
	if err != nil || !fresh {
		return first, err
	}
	again, err := t.ask(in, "once more: ")
	if err == nil && again != first {
		return "", usagef("the two passphrases differ")
	}
	return first, err
}

func (t *terminal) ask(in *os.File, prompt string) (string, error) {
	fmt.Fprint(t.err, prompt)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(t.err)
	if err != nil {
		return "", fmt.Errorf("read passphrase: %w", err)
	}
	return notEmpty(string(b))
}

func notEmpty(passphrase string) (string, error) {
	if passphrase == "" {
		return "", usagef("the passphrase is empty: type one, or set TOM_PASSPHRASE")
	}
	return passphrase, nil
}
