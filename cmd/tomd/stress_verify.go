package main

import (
	"encoding/json"

	"github.com/tom-protocol/tom/node/localapi"
)

// verifyStressed checks a receipt as tomd receipt verify does, from its JSON on.
func verifyStressed(r localapi.Receipt) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = verifyReceipt(b)
	return err
}
