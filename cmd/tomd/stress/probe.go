package stress

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/fnv"
	"math/rand/v2"

	"github.com/tom-protocol/tom/cmd/tomd/stress/ledger"
	"github.com/tom-protocol/tom/node/localapi"
)

// Content types of what the tool sends and answers.
const (
	ProbeType  = "text/vnd.tom.stress"
	AskType    = "text/vnd.tom.stress.ask"
	CountsType = "text/vnd.tom.stress.counts"
)

// Probe is the header of a message that the tool sends.
type Probe struct {
	Run  string `json:"run"`
	From string `json:"from"`
	To   string `json:"to"`
	N    int    `json:"n"`
}

func (p Probe) key() ledger.Key { return ledger.Key{From: p.From, To: p.To, N: p.N} }

// Content is the message: the header and filling up to a size, or the header
// alone if that is larger.
func (p Probe) Content(size int) localapi.Content {
	head, _ := json.Marshal(p) // strings and a number
	body := append(head, '\n')
	body = append(body, p.filling(size-len(body))...)
	return localapi.NewContent(ProbeType, body)
}

// letters are those of a filling: text, as that is what people send, and cannot
// be compressed to nothing.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// filling is the same for the same probe, and another for every other.
func (p Probe) filling(size int) []byte {
	if size <= 0 {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(p.Run + "\x00" + p.From + "\x00" + p.To))
	rng := rand.New(rand.NewPCG(h.Sum64(), uint64(p.N)))
	out := make([]byte, size)
	for i := 0; i < size; {
		for bits, left := rng.Uint64(), 10; left > 0 && i < size; left-- {
			out[i] = letters[bits&63]
			bits >>= 6
			i++
		}
	}
	return out
}

var errNoProbe = errors.New("no message of a run")

// ParseProbe reads a message, and says whether it is as it was sent.
func ParseProbe(c localapi.Content) (p Probe, whole bool, err error) {
	body, err := c.Bytes()
	if c.Type != ProbeType || err != nil {
		return p, false, errNoProbe
	}
	head, filling, ok := bytes.Cut(body, []byte("\n"))
	if !ok || json.Unmarshal(head, &p) != nil || p.Run == "" {
		return p, false, errNoProbe
	}
	return p, bytes.Equal(filling, p.filling(len(filling))), nil
}

// Ask asks a listener what has come of a run.
type Ask struct {
	Run string `json:"run"`
}

// Counts are a listener's answer.
type Counts struct {
	Run      string   `json:"run"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Received int      `json:"received"` // numbers
	Twice    int      `json:"twice"`    // came once more
	Spoiled  int      `json:"spoiled"`
	Spans    [][2]int `json:"spans"` // of the numbers that came, both ends included
	Cut      bool     `json:"cut"`   // there were more spans than an answer carries
}
