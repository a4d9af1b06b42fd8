package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// FileError says what is wrong with a file of secrets, and what to do about it.
type FileError struct {
	Path    string
	Problem string // follows the path: "is damaged"
	Hint    string // what the user can do
	Err     error  // the cause, or nil
}

func (e *FileError) Error() string {
	s := e.Path + " " + e.Problem
	if e.Err != nil {
		s += fmt.Sprintf(" (%v)", e.Err)
	}
	return s + ": " + e.Hint
}

func (e *FileError) Unwrap() error { return e.Err }

// readPrivate reads a file of at most limit bytes that only its owner can read.
// An error about its absence matches fs.ErrNotExist.
func readPrivate(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if err := checkMode(path, info); err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, &FileError{Path: path, Problem: "is far too large", Hint: "it is not a file of this program; move it away"}
	}
	b := make([]byte, info.Size()) // in one piece: growing would leave copies of secrets behind
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, unreadable(path, err)
	}
	return b, nil
}

func unreadable(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &FileError{Path: path, Problem: "does not exist", Hint: "check the data directory", Err: err}
	}
	return &FileError{Path: path, Problem: "cannot be read", Hint: "check its owner and mode", Err: err}
}

// checkMode refuses what others could have read. Windows has no such modes;
// there the directory's access list protects the file.
func checkMode(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return &FileError{Path: path, Problem: "is not a regular file", Hint: "move it away"}
	}
	if runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return &FileError{
		Path:    path,
		Problem: fmt.Sprintf("can be used by other users (mode %04o)", info.Mode().Perm()),
		Hint:    "if nobody else has read it, run chmod 600 on it",
	}
}

// beside is where the new content of a file is gathered. The name is fixed, so
// that the remains of a crash are found and removed.
func beside(path string) string { return path + ".new" }

// replacePrivate puts b in place of the file at path, mode 0600. After a crash
// at any moment the old or the new content is there, whole.
func replacePrivate(path string, b []byte) error {
	err := writeNew(beside(path), b)
	if err == nil {
		err = os.Rename(beside(path), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return unwritable(path, err)
	}
	return nil
}

// createPrivate makes the file at path, mode 0600, with content b, whole or not
// at all. It fails with fs.ErrExist if there is one, also against somebody who
// does the same at the same time.
func createPrivate(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return unwritable(path, err)
	}
	defer os.Remove(f.Name())
	err = writeAndClose(f, b)
	if err == nil {
		err = linkNew(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return unwritable(path, err)
	}
	return nil
}

// linkNew gives the file tmp the name path unless that name is taken. Where the
// file system has no hard links a rename after a look has to do.
func linkNew(tmp, path string) error {
	err := os.Link(tmp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fs.ErrExist
	}
	return os.Rename(tmp, path)
}

// writeNew writes and syncs a file that replaces any remains of its name.
func writeNew(path string, b []byte) error {
	if err := removeIfThere(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return writeAndClose(f, b)
}

func writeAndClose(f *os.File, b []byte) error {
	_, err := f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func unwritable(path string, err error) error {
	return &FileError{Path: path, Problem: "cannot be written", Hint: "check the space left and the owner of its directory", Err: err}
}

// syncDir makes a rename in dir durable. Windows cannot sync a directory, and
// does without.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
