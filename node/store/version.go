package store

import (
	"fmt"
	"time"

	"github.com/tom-protocol/tom/node/store/kv"
	"github.com/tom-protocol/tom/protocols"
)

// layout is the version of the rows that this code reads and writes. It grows
// with every change that an older version would misread; the step from the
// version before then goes into migrations.
const layout = 3

// migrations[n] adds to a batch what turns rows of layout n into layout n+1.
var migrations = [layout]func(*Store, *kv.Batch) error{
	(*Store).migrateContacts,
	func(*Store, *kv.Batch) error { return nil }, // events of peers came, which layout 1 cannot read
	func(*Store, *kv.Batch) error { return nil }, // events of groups came, which layout 2 cannot read
}

const layoutName = ".layout"

// migrate checks the layout of the rows and brings older ones up to date, whole
// or not at all.
func (s *Store) migrate() error {
	version, err := s.layout()
	if err != nil || version == layout {
		return err
	}
	if version > layout {
		return fmt.Errorf("%w (its layout is %d, this version reads up to %d)", ErrNewer, version, layout)
	}
	for ; version < layout; version++ {
		var b kv.Batch
		if err := migrations[version](s, &b); err != nil {
			return fmt.Errorf("bring layout %d up to date: %w", version, err)
		}
		b.Put(metaKey(layoutName), []byte{byte(version + 1)})
		if err := s.kv.Apply(&b, true); err != nil {
			return err
		}
	}
	return nil
}

// layout returns the version of the rows; rows without a stamp are of layout 0,
// and so is an empty store, for which every step has nothing to do.
func (s *Store) layout() (uint64, error) {
	row, ok, err := s.kv.Get(metaKey(layoutName))
	if err != nil || !ok {
		return 0, err
	}
	u := unpacker{b: row}
	return u.uint(), u.err
}

// migrateContacts adds to contacts, which had no such time in layout 0, that
// they were added now.
func (s *Store) migrateContacts(b *kv.Batch) error {
	from, to := table(tableContacts)
	return s.kv.Scan(from, to, func(key, row []byte) (bool, error) {
		u := unpacker{b: row}
		c := Contact{Key: protocols.Key(key[1:])}
		c.parseV0(&u)
		if c.Name != "" {
			c.Added = s.now().Truncate(time.Millisecond)
		}
		b.Put(key, c.append(nil))
		return true, u.err
	})
}
