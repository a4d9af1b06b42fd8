// Package node is ToM in a program: a device that is client and relay at once.
// A Node has an identity, finds others, sends messages that are sealed for one
// recipient, and calls them delivered only when that recipient has signed for
// them.
//
//	n, err := node.New(node.Config{DataDir: "data"})
//	go n.Run(ctx)
//	id, err := n.Send(ctx, "tom:peer/12D3…", node.Text("hello"))
//	status, err := n.Wait(ctx, id, node.Delivered)
//
// The package prints nothing and touches no global. It is where all parts
// meet, and holds no rules of its own:
//
//	identity   the key, prekeys and shred keys; nobody else sees them
//	store      outbox, inbox, events, on disk
//	host       libp2p: transports, limits
//	discovery  who could be connected to
//	links      who is connected; streams to them
//	courier    between store and links: seals, signs, sends, receives
//	localapi   the daemon's socket for programs of its user
package node
