package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// settingsFile holds what was chosen at the first start and what is needed
// while no daemon runs.
const settingsFile = "settings.json"

// saved are the settings in the data directory.
type saved struct {
	Port    int      `json:"port,omitempty"`    // the node's port
	Name    string   `json:"name,omitempty"`    // what the node calls itself
	Network string   `json:"network,omitempty"` // the network this directory belongs to
	Addrs   []string `json:"addrs,omitempty"`   // the last addresses, for the contact link
}

func (n *Node) loadSettings() (saved, error) {
	if n.cfg.DataDir == "" {
		return saved{}, nil
	}
	return readSettings(n.cfg.DataDir)
}

func readSettings(dir string) (s saved, err error) {
	b, err := os.ReadFile(filepath.Join(dir, settingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("%s is damaged: remove it, the node chooses a port anew: %w", filepath.Join(dir, settingsFile), err)
	}
	return s, nil
}

// saveSettings replaces the file as a whole.
func (n *Node) saveSettings(s saved) error {
	if n.cfg.DataDir == "" {
		return nil
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("pack settings: %w", err)
	}
	path := filepath.Join(n.cfg.DataDir, settingsFile)
	if err := os.WriteFile(path+".new", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}
