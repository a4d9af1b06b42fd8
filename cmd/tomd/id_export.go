package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
)

// maxExport is more than an export has, bytes.
const maxExport = 64 << 10

func exportCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "export",
		Usage:       "write the identity, sealed under a passphrase, to a new file or to - (standard output)",
		ArgsUsage:   "FILE|-",
		Description: "The passphrase is asked for, or taken from TOM_PASSPHRASE, or the first line of\nstandard input.",
		Action: func(c *cli.Context) error {
			dir, file, err := exportArguments(c)
			if err != nil {
				return err
			}
			passphrase, err := t.passphrase(true)
			if err != nil {
				return err
			}
			blob, err := identity.Export(dir, passphrase)
			if err != nil {
				return err
			}
			return writeExport(t, file, blob)
		},
	}
}

func exportArguments(c *cli.Context) (dir, file string, err error) {
	args, err := arguments(c)
	if err != nil {
		return "", "", err
	}
	dir, err = dataDir(c)
	return dir, args[0], err
}

func writeExport(t *terminal, file string, blob []byte) error {
	if file == "-" {
		_, err := t.out.Write(blob)
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return localapi.Errorf(localapi.CodeExists, "%s is there already", file).WithHint("name a new file")
	}
	if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	_, err = f.Write(blob)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	t.print(map[string]string{"file": file}, func(w io.Writer) {
		fmt.Fprintf(w, "the identity is in %s, sealed under the passphrase\n", file)
	})
	return nil
}

func importCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:        "import",
		Usage:       "make an exported identity that of a data directory without one",
		ArgsUsage:   "FILE|-",
		Description: "The device the export came from must stay off: two that share an identity take\neach other's messages. With - the export is read from standard input, and the\npassphrase from TOM_PASSPHRASE.",
		Action: func(c *cli.Context) error {
			dir, file, err := exportArguments(c)
			if err != nil {
				return err
			}
			blob, err := readInput(t, file, maxExport)
			if err != nil {
				return err
			}
			passphrase, err := t.passphrase(false)
			if err != nil {
				return err
			}
			if err := identity.Import(dir, passphrase, blob); err != nil {
				return importError(dir, err)
			}
			return imported(t, dir)
		},
	}
}

func importError(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return localapi.Errorf(localapi.CodeExists, "there is an identity in %s already, and it is not overwritten", dir).
			WithHint("import into an empty data directory, with --data")
	case errors.Is(err, identity.ErrPassphrase):
		return localapi.Errorf(localapi.CodeRefused, "%v", err)
	default:
		return err
	}
}

func imported(t *terminal, dir string) error {
	id, err := storedIdentity(dir)
	if err != nil {
		return err
	}
	t.print(id, func(w io.Writer) {
		fmt.Fprintf(w, "this device is %s now\n", id.ID)
		fmt.Fprintln(w, "The old device must stay off from now on: two devices with one identity take each other's messages.")
	})
	return nil
}

// readInput reads a file, or standard input for "-", of at most limit bytes.
func readInput(t *terminal, file string, limit int64) ([]byte, error) {
	in := t.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, cannotRead(file, err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, cannotRead(file, err)
	}
	if int64(len(b)) > limit {
		return nil, usagef("%s has more than %d KiB: is it the right file?", file, limit>>10)
	}
	return b, nil
}

// cannotRead names the file once.
func cannotRead(file string, err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	return usagef("cannot read %s: %v", file, err)
}
