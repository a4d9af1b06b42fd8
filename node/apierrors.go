package node

import (
	"errors"

	"github.com/tom-protocol/tom/node/localapi"
	"github.com/tom-protocol/tom/node/store"
	"github.com/tom-protocol/tom/node/store/kv"
)

// apiErrors says what a user reads of each error, and what to do about it.
var apiErrors = []struct {
	is   error
	code localapi.Code
	hint string
}{
	{ErrSelf, localapi.CodeRefused, "name another peer"},
	{ErrUnknown, localapi.CodeNotFound, "tomd send prints the id of what it sends; a message is known until a day or two after its end"},
	{ErrNoReceipt, localapi.CodeNoReceipt, "tomd trace tells how far it is"},
	{ErrBusy, localapi.CodeBusy, "try again when some messages are delivered or expired"},
	{ErrStopped, localapi.CodeStopping, "try again once the daemon runs"},
	{ErrType, localapi.CodeBadRequest, "text/plain is one"},
	{ErrNamed, localapi.CodeExists, "choose another, or leave it out"},
	{ErrReserved, localapi.CodeBadRequest, "choose another"},
	{ErrLifetime, localapi.CodeBadRequest, ""},
	{ErrNameTaken, localapi.CodeExists, "rename that contact first, or choose another petname"},
	{ErrNoContact, localapi.CodeNotFound, "tomd contact list shows them"},
	{ErrNoName, localapi.CodeBadRequest, "give it one"},
	{ErrPetname, localapi.CodeBadRequest, "choose another"},
	{store.ErrFull, localapi.CodeBusy, "try again later"},
	{kv.ErrDiskFull, localapi.CodeDiskFull, "free some space, and send again"},
	{kv.ErrFailed, localapi.CodeDiskFull, "look after the disk and restart the daemon"},
}

// apiError is err for a user, about what was asked for. Errors that nobody
// foresaw stay as they are.
func apiError(err error, about string) error {
	if err == nil {
		return nil
	}
	var unknown *UnknownPeerError
	if errors.As(err, &unknown) {
		return localapi.Errorf(localapi.CodeUnknownPeer, "%v", err).
			WithHint("tomd contact list shows the petnames; a contact link begins with tom:peer/")
	}
	var large *TooLarge
	if errors.As(err, &large) {
		return localapi.Errorf(localapi.CodeTooLarge, "%v", err).WithHint("send it in parts")
	}
	for _, e := range apiErrors {
		if errors.Is(err, e.is) {
			return localapi.Errorf(e.code, "%v", e.is).WithHint("%s", e.hint)
		}
	}
	return err
}
