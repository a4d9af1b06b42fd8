package groupstest_test

import (
	"testing"

	"github.com/tom-protocol/tom/groups/groupstest"
)

func TestTheTwinKeepsTheSuite(t *testing.T) {
	t.Parallel()
	d := groupstest.NewDisk()
	groupstest.DiskSuite(t, d, d)
}
