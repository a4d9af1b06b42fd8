package localapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// maxSocketPath is the longest path a socket may have, bytes: the smallest
// system takes 104.
const maxSocketPath = 100

// SocketPath is where the daemon of a data directory listens: api.sock in it,
// or in the user's runtime directory if that path were too long.
func SocketPath(dataDir string) (string, error) {
	dir, err := filepath.Abs(dataDir)
	if err != nil {
		return "", fmt.Errorf("find data directory: %w", err)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // two names of one directory are one daemon
	}
	path := filepath.Join(dir, "api.sock")
	if len(path) <= maxSocketPath {
		return path, nil
	}
	sum := sha256.Sum256([]byte(dir))
	path = filepath.Join(runtimeDir(), hex.EncodeToString(sum[:8])+".sock")
	if len(path) > maxSocketPath {
		return "", Errorf(CodeRefused, "the path %s is too long for a socket", path).WithHint("choose a data directory with a shorter path")
	}
	return path, nil
}

// runtimeDir is a directory of this user for sockets.
func runtimeDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tom")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("tom-%d", os.Getuid()))
}

// listenSocket listens on path for this user only. What a daemon that was
// killed has left there is removed, a living one is not disturbed.
func listenSocket(path string) (net.Listener, error) {
	if err := privateDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = conn.Close()
		return nil, Errorf(CodeRefused, "a daemon is running on this data directory already").WithHint("use it, or end it with tomd stop")
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove stale socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect socket: %w", err), l.Close())
	}
	return l, nil
}

// privateDir makes dir, and refuses one that is another user's: the fallback
// lies where everybody may write.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make directory for the socket: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at directory for the socket: %w", err)
	}
	if !info.IsDir() || !ownedByUs(info) {
		return Errorf(CodeRefused, "%s is not a directory of this user", dir).WithHint("run as its owner, or choose another directory")
	}
	return nil
}
