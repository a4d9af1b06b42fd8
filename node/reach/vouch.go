package reach

import "fmt"

// Vouch is what the user says about reachability.
type Vouch string

// A user may leave the judgement to the node, or vouch for a circumstance that
// nobody can measure. Peers believe only what they can dial.
const (
	Auto    Vouch = "auto"
	Public  Vouch = "public"
	Private Vouch = "private"
)

// ParseVouch reads auto, public or private; empty is auto.
func ParseVouch(s string) (Vouch, error) {
	switch v := Vouch(s); v {
	case "":
		return Auto, nil
	case Auto, Public, Private:
		return v, nil
	}
	return "", fmt.Errorf("%q is none of auto, public and private", s)
}
