package proof

import (
	"slices"

	"github.com/tom-protocol/tom/protocols"
)

// Claim is that an author signed something: a message under a tag, as its proof says,
// or a batch as a whole, and so each of its members.
type Claim struct {
	Author  protocols.Key
	Tag     protocols.Tag
	Message []byte
	Proof   []byte
	Root    *Root // of a batch; nil: of a message
}

// VerifyAll checks claims, and verifies the signatures that they stand or fall with
// together. An error says that one is false, and not which.
func (v *Verifier) VerifyAll(claims []Claim) error {
	t := together{v: v}
	for _, c := range claims {
		if err := t.add(c); err != nil {
			return err
		}
	}
	return t.verify()
}

// together are signatures to be verified in one go, that of a batch once.
type together struct {
	v     *Verifier
	list  []protocols.Signed
	roots map[Hash]pending
}

// pending is a root that is being verified.
type pending struct {
	at  int // in the list
	age uint64
}

func (t *together) add(c Claim) error {
	if c.Root != nil {
		t.addRoot(c.Author, *c.Root)
		return nil
	}
	p, err := parse(c.Proof)
	switch {
	case err != nil:
		return err
	case p.size == 0:
		t.list = append(t.list, protocols.Signed{Key: c.Author, Tag: c.Tag, Msg: c.Message, Sig: p.signature})
	default:
		t.addRoot(c.Author, p.root(t.v.leaf(c.Tag, c.Message)))
	}
	return nil
}

func (t *together) addRoot(author protocols.Key, r Root) {
	id := r.id(author)
	_, age, verified := t.v.roots.Get(author, id)
	if _, here := t.roots[id]; here || verified {
		return
	}
	if t.roots == nil {
		t.roots = make(map[Hash]pending)
	}
	t.roots[id] = pending{len(t.list), age}
	statement := rootStatement(r.size, r.hash)
	t.list = append(t.list, protocols.Signed{Key: author, Tag: protocols.TagBatch, Msg: statement[:], Sig: r.signature[:]})
}

// verify remembers those roots that are good, whatever the others are.
func (t *together) verify() error {
	good := t.v.network.VerifyAll(t.list)
	for id, p := range t.roots {
		if good[p.at] {
			t.v.roots.Put(t.list[p.at].Key, id, struct{}{}, p.age)
		}
	}
	return verdict(!slices.Contains(good, false))
}
