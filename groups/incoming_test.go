package groups

import (
	"testing"

	"github.com/tom-protocol/tom/groups/wire"
)

func TestAStructureNamesItsGroup(t *testing.T) {
	t.Parallel()
	id := wire.GroupID{7, 1: 8, 15: 9}
	good := append([]byte{0x98, 0xc4, 16}, id[:]...)
	if got, ok := structureGroup(good); !ok || got != id {
		t.Errorf("read %v, %v", got, ok)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "cut": good[:18], "no array": append([]byte{0x81}, good[1:]...),
		"a longer bin": append([]byte{0x98, 0xc4, 17}, good[3:]...), "another type": append([]byte{0x98, 0xd9}, good[2:]...),
	} {
		if _, ok := structureGroup(b); ok {
			t.Errorf("%s names a group", name)
		}
	}
}

// Every frame can be handed to its group.
func TestFramesNameTheirGroup(t *testing.T) {
	t.Parallel()
	id := wire.GroupID{7}
	structure := append([]byte{0x98, 0xc4, 16}, id[:]...)
	record := wire.HubRecordFrame{Record: structure}
	for _, f := range []wire.Frame{
		&wire.AttachFrame{Attach: structure}, &wire.Publish{Group: id}, wire.OwnReceipts(id), wire.PassedReceipts(id),
		&wire.Sync{Group: id}, wire.Records{Group: id}.FanOut(), wire.Records{Group: id}.Replicate(), &wire.Accepted{Group: id},
		&wire.Refused{Group: id}, &wire.Busy{Group: id}, &wire.SnapshotFrame{Group: id}, &wire.NotHub{Group: id}, &wire.PageEnd{Group: id},
		&wire.BeatFrame{Beat: structure}, &wire.Replicated{Group: id}, &record, &wire.ReportFrame{Report: structure},
		&wire.Alive{Group: id}, &wire.AliveAnswer{Beat: structure}, &wire.Named{Draft: structure},
		&wire.Equivocation{A: structure}, &wire.WithdrawnFrame{HubRecordFrame: record, Withdrawal: structure},
		&wire.Yield{HubRecordFrame: record}, &wire.Replace{Beat: structure}, &wire.Meet{HubRecordFrame: record},
	} {
		if got, ok := groupOf(f); !ok || got != id {
			t.Errorf("%T names %v, %v", f, got, ok)
		}
	}
}
