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

// adopt takes over what earlier runs chose, and keeps what this one does. A
// directory belongs to one network: what waits in it is signed for that one.
func (n *Node) adopt() (saved, error) {
	s, err := n.loadSettings()
	if err != nil {
		return s, err
	}
	if s.Network != "" && s.Network != string(n.cfg.network) {
		return s, fmt.Errorf("data directory %s belongs to network %q, not %q: use another one with --data, or --network %s",
			n.cfg.DataDir, s.Network, n.cfg.network, s.Network)
	}
	if n.cfg.Name == "" {
		n.cfg.Name = s.Name
	}
	if s.Network == string(n.cfg.network) && s.Name == n.cfg.Name {
		return s, nil
	}
	s.Network, s.Name = string(n.cfg.network), n.cfg.Name
	return s, n.saveSettings(s)
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
