package protocols

import (
	"fmt"
	"strings"
)

// Network is the name of a network. It is part of every protocol id but Main's
// and of every signature, so that networks never meet.
type Network string

// Main is the network users are on.
const Main Network = "main"

// maxNetwork bounds a network's name, in bytes.
const maxNetwork = 32

// ParseNetwork checks a network's name: 1 to 32 characters of a-z, 0-9 and "-".
func ParseNetwork(s string) (Network, error) {
	if len(s) == 0 || len(s) > maxNetwork {
		return "", fmt.Errorf("network name %q has %d characters: give 1 to %d", s, len(s), maxNetwork)
	}
	if i := strings.IndexFunc(s, notInNetwork); i >= 0 {
		return "", fmt.Errorf("network name %q: only a-z, 0-9 and \"-\" may be used", s)
	}
	return Network(s), nil
}

func notInNetwork(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
}

// Protocol returns what the network calls a protocol id, topic or prefix: the
// id itself in Main, "/<name>" in front of it elsewhere.
func (n Network) Protocol(id string) string {
	if n == Main {
		return id
	}
	return "/" + string(n) + id
}
