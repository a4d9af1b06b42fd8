package kv

import (
	"path/filepath"
	"strings"
)

// unborn removes what a crash during the very first start may have left: a
// directory that cannot be opened because its list of files is missing. It says
// whether there was such a thing, which is certain only where no table exists
// and every log is empty, so that no row was ever confirmed.
func (d *disk) unborn() bool {
	names, err := d.opts.FS.List(d.dir)
	if err != nil {
		return false
	}
	var made []string
	for _, name := range names {
		switch {
		case isTable(name), filepath.Ext(name) == ".log" && !d.empty(name):
			return false
		case ofDatabase(name):
			made = append(made, name)
		}
	}
	for _, name := range made {
		if d.opts.FS.Remove(d.opts.FS.PathJoin(d.dir, name)) != nil {
			return false
		}
	}
	return len(made) > 0
}

func (d *disk) empty(name string) bool {
	info, err := d.opts.FS.Stat(d.opts.FS.PathJoin(d.dir, name))
	return err == nil && info.Size() == 0
}

// ofDatabase says that a file belongs to the beginnings of a database.
func ofDatabase(name string) bool {
	for _, prefix := range []string{"MANIFEST-", "OPTIONS-", "marker."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return filepath.Ext(name) == ".log"
}
