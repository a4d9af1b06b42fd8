package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/multiformats/go-multiaddr"
	"github.com/urfave/cli/v2"

	"github.com/tom-protocol/tom/node/identity"
	"github.com/tom-protocol/tom/node/localapi"
)

func idCommand(t *terminal) *cli.Command {
	return &cli.Command{
		Name:  "id",
		Usage: "print the peer id and the contact link, with or without a running daemon",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "qr", Usage: "show the link as a QR code"}},
		Action: func(c *cli.Context) error {
			if _, err := arguments(c); err != nil {
				return err
			}
			id, err := findIdentity(c)
			if err != nil {
				return err
			}
			t.print(id, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n%s\n", id.ID, id.Link)
				if c.Bool("qr") {
					writeQR(w, id.Link)
				}
			})
			return nil
		},
		Subcommands: []*cli.Command{exportCommand(t), importCommand(t)},
	}
}

// findIdentity asks the daemon, which knows its addresses; without one it
// reads the key, or makes it, and the link the last daemon left.
func findIdentity(c *cli.Context) (id localapi.Identity, err error) {
	err = withClient(c, func(client *localapi.Client) error {
		ctx, cancel := context.WithTimeout(c.Context, 3*time.Second)
		defer cancel()
		id, err = client.Identity(ctx)
		return err
	})
	var none *localapi.NoDaemonError
	if !errors.As(err, &none) || c.String("api") != "" {
		return id, err
	}
	dir, err := dataDir(c)
	if err != nil {
		return id, err
	}
	return storedIdentity(dir)
}

func storedIdentity(dir string) (localapi.Identity, error) {
	me, err := identity.Open(dir)
	if err != nil {
		return localapi.Identity{}, err
	}
	link := lastLink(dir)
	link.Peer = me.Public()
	id := localapi.Identity{ID: me.PeerID().String(), Link: link.String()}
	for _, addr := range link.Addrs {
		id.Addrs = append(id.Addrs, addr.String())
	}
	return id, nil
}

// settingsFile is where a daemon leaves its name and its last addresses, in the
// data directory.
const settingsFile = "settings.json"

// lastLink is the link of the last daemon but for the peer; as much of it as
// can be read, for a link without addresses is one too.
func lastLink(dir string) (link identity.Link) {
	b, err := os.ReadFile(filepath.Join(dir, settingsFile))
	if err != nil {
		return link
	}
	var last struct {
		Name  string   `json:"name"`
		Addrs []string `json:"addrs"`
	}
	if json.Unmarshal(b, &last) != nil {
		return link
	}
	link.Name = last.Name
	for _, text := range last.Addrs {
		if addr, err := multiaddr.NewMultiaddr(text); err == nil {
			link.Addrs = append(link.Addrs, addr)
		}
	}
	link.Addrs = identity.SelectAddrs(link.Addrs)
	return link
}

func writeQR(w io.Writer, text string) {
	qrterminal.GenerateWithConfig(text, qrterminal.Config{
		Level:          qrterminal.L,
		Writer:         w,
		HalfBlocks:     true,
		BlackChar:      qrterminal.BLACK_BLACK,
		BlackWhiteChar: qrterminal.BLACK_WHITE,
		WhiteChar:      qrterminal.WHITE_WHITE,
		WhiteBlackChar: qrterminal.WHITE_BLACK,
		QuietZone:      2,
	})
}
