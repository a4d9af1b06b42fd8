package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/ack"
	"github.com/tom-protocol/tom/protocols/envelope"
)

// maxReceiptFile is more than an exported receipt has, bytes.
const maxReceiptFile = 64 << 10

func receiptCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "receipt",
		Usage: "show others that a message was delivered",
		Subcommands: []*cli.Command{
			{
				Name: "export", Usage: "print the recipient's signed receipt, for anyone to verify; it also names the other messages of its batch", ArgsUsage: "ID",
				Action: action(func(c *cli.Context, client *localapi.Client, args []string) error {
					receipt, err := client.Receipt(c.Context, args[0])
					if err != nil {
						return err
					}
					t.printJSON(t.out, receipt)
					return nil
				}),
			},
			{
				Name: "verify", Usage: "check an exported receipt, without daemon or network", ArgsUsage: "FILE|-",
				Action: func(c *cli.Context) error {
					args, err := arguments(c)
					if err != nil {
						return err
					}
					b, err := readInput(t, args[0], maxReceiptFile)
					if err != nil {
						return err
					}
					v, err := verifyReceipt(b)
					if err != nil {
						return err
					}
					t.print(v, v.write)
					return nil
				},
			},
		},
	}
}

// verified is what a receipt proves.
type verified struct {
	Valid   bool          `json:"valid"`
	Kind    string        `json:"kind"` // delivered or read
	ID      string        `json:"id"`
	Author  string        `json:"author"`    // peer id
	By      string        `json:"recipient"` // peer id; signed
	Time    localapi.Time `json:"time"`
	Network string        `json:"network"`
	Digest  []byte        `json:"digest"`
	Others  int           `json:"others"` // further messages the receipt names
}

func (v verified) write(w io.Writer) {
	fmt.Fprintf(w, "valid: message %s\n", v.ID)
	fmt.Fprintf(w, "  of         %s\n", v.Author)
	fmt.Fprintf(w, "  was %s\n", v.Kind)
	fmt.Fprintf(w, "  by         %s\n", v.By)
	fmt.Fprintf(w, "  at         %s, by the recipient's clock\n", v.Time.Local().Format("2 January 2006 15:04:05.000 MST"))
	fmt.Fprintf(w, "  network    %s\n", v.Network)
	fmt.Fprintf(w, "  digest     %x\n", v.Digest)
	switch {
	case v.Others == 1:
		fmt.Fprintln(w, "The same receipt names 1 other message of that author.")
	case v.Others > 1:
		fmt.Fprintf(w, "The same receipt names %d other messages of that author.\n", v.Others)
	}
}

// verifyReceipt checks an exported receipt: the recipient's signature, and that
// it is about the message and the digest the file names.
func verifyReceipt(b []byte) (verified, error) {
	var file localapi.Receipt
	if err := json.Unmarshal(b, &file); err != nil {
		return verified{}, usagef("this is no exported receipt: %v", err)
	}
	network, err := protocols.ParseNetwork(file.Network)
	if err != nil {
		return verified{}, usagef("this is no exported receipt: %v", err)
	}
	id, err := envelope.ParseID(file.ID)
	var digest envelope.Digest
	if err != nil || copy(digest[:], file.Digest) != len(digest) || len(file.Digest) != len(digest) {
		return verified{}, usagef("this is no exported receipt: its id or digest is not one")
	}
	r, err := ack.Parse(network, file.Receipt)
	if err != nil {
		return verified{}, invalid("%v", err)
	}
	if r.Kind != ack.Delivered && r.Kind != ack.Read {
		return verified{}, invalid("it says %s, not that the message was delivered", r.Kind)
	}
	for _, entry := range r.Entries {
		if entry.ID == id && entry.Digest == digest.Short() {
			return verified{
				Valid: true, Kind: r.Kind.String(), ID: id.String(), Network: string(network), Digest: digest[:],
				Author: identity.PeerIDOf(r.To).String(), By: identity.PeerIDOf(r.From).String(),
				Time: localapi.At(r.At()), Others: len(r.Entries) - 1,
			}, nil
		}
	}
	return verified{}, invalid("the recipient signed, but for other messages than %s with this digest", file.ID)
}

func invalid(format string, args ...any) error {
	return localapi.Errorf(localapi.CodeRefused, "the receipt is not valid: "+format, args...)
}
