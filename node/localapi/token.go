package localapi

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tokenFile holds, in the data directory, what a program must show over TCP.
const tokenFile = "api.token"

// openToken reads the token, or makes one. It stays the same over restarts.
func openToken(dataDir string) (string, error) {
	token, err := readToken(dataDir)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return token, err
	}
	token = rand.Text() + rand.Text()
	path := filepath.Join(dataDir, tokenFile)
	if err := os.WriteFile(path+".new", []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	return token, nil
}

func readToken(dataDir string) (string, error) {
	path := filepath.Join(dataDir, tokenFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < 32 {
		return "", Errorf(CodeRefused, "%s holds no token", path).WithHint("remove it: a new one is made at the next start")
	}
	return token, nil
}
