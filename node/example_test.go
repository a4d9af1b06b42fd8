package node_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/tom-protocol/tom/node"
)

// Two nodes in one program: one sends, the other receives and marks as read.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	alice, bob := mustRun(ctx, "alice"), mustRun(ctx, "bob")

	id, err := alice.Send(ctx, bob.Link(), node.Text("hello"))
	if err != nil {
		log.Fatal(err)
	}
	status, err := alice.Wait(ctx, id, node.Delivered)
	fmt.Println(status.State, err)

	inbox, err := bob.Inbox(node.Query{Unread: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range inbox {
		fmt.Printf("%s %s\n", m.Name, m.Body)
		bob.MarkRead(m.Cursor)
	}
	status, err = alice.Wait(ctx, id, node.Read)
	fmt.Println(status.State, err)
	// Output:
	// delivered <nil>
	// alice? hello
	// read <nil>
}

// mustRun starts a node that keeps everything in memory and stays on this
// machine.
func mustRun(ctx context.Context, name string) *node.Node {
	n, err := node.New(node.Config{Name: name, Local: true, NoRendezvous: true})
	if err != nil {
		log.Fatal(err)
	}
	go n.Run(ctx)
	return n
}

// A program that answers every message follows the events. The cursor says
// where to go on after a restart.
func ExampleNode_Events() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	alice, echo := mustRun(ctx, "alice"), mustRun(ctx, "echo")
	go echo.Events(ctx, 0, func(e node.Event) error {
		if e.Kind == node.MessageReceived {
			_, err := echo.SendTo(ctx, e.Peer, node.Message{Body: e.Message.Body})
			return err
		}
		return nil
	})

	if _, err := alice.Send(ctx, echo.Link(), node.Text("hello?")); err != nil {
		log.Fatal(err)
	}
	alice.Events(ctx, 0, func(e node.Event) error {
		if e.Kind != node.MessageReceived {
			return nil
		}
		fmt.Printf("%s\n", e.Message.Body)
		return context.Canceled // enough
	})
	// Output: hello?
}

// Trace tells every attempt of a message, here of one to a peer that nobody
// has ever heard of.
func ExampleNode_Trace() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n := mustRun(ctx, "alice")
	id, err := n.Send(ctx, "12D3KooWNRJZ51xvxtNpG775Xc5SfZFrmN4MZ5CchK1ju5MD3kuW", node.Text("anybody?"))
	if err != nil {
		log.Fatal(err)
	}
	t, err := n.Trace(ctx, id)
	fmt.Println(t.State, len(t.Attempts) > 0, err)
	// Output: queued true <nil>
}

// Connect dials an address; Peers lists who is connected.
func ExampleNode_Connect() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	alice, bob := mustRun(ctx, "alice"), mustRun(ctx, "bob")
	peer, err := alice.Connect(ctx, bob.Addrs()[0].String()+"/p2p/"+bob.ID())
	fmt.Println(peer == bob.Key(), err)
	fmt.Println(len(alice.Peers()), alice.Peers()[0].Path)
	// Output:
	// true <nil>
	// 1 direct
}

// A contact's petname stands wherever a peer is named.
func ExampleNode_AddContact() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	alice, bob := mustRun(ctx, "alice"), mustRun(ctx, "bob")
	contact, err := alice.AddContact(bob.Link(), "") // the name in the link will do
	fmt.Println(contact.Name, err)
	id, err := alice.Send(ctx, "bob", node.Text("hello"))
	if err != nil {
		log.Fatal(err)
	}
	status, err := alice.Status(ctx, id)
	fmt.Println(status.To == bob.Key(), err)
	// Output:
	// bob <nil>
	// true <nil>
}
