package courier

import (
	"errors"
	"strings"
)

// maxBrief is how much of an error a trace shows, in bytes.
const maxBrief = 240

// brief puts an error of the network, which may list a line for every address,
// into one line.
func brief(err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxBrief {
		text = strings.ToValidUTF8(text[:maxBrief], "") + " …"
	}
	return errors.New(text)
}
