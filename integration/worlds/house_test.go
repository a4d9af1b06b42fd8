package worlds

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tom-protocol/tom/integration/virtual"
	"github.com/tom-protocol/tom/node"
)

// many live in one house. Libp2p's identify takes in ten changes of addresses
// from one of these, and then one in five seconds.
const many = 24

func TestManyAtOneAddressAreFoundByTheirIds(t *testing.T) {
	inHomes(t, 3, func(t *testing.T, w *homes) {
		house := w.Router("2.0.0.1")
		all := make([]living, many)
		for i := range all {
			all[i] = w.home(fmt.Sprintf("10.0.0.%d", i+1), house, node.Config{})
		}
		alice := w.home("10.0.0.1", w.Router("3.0.0.1"), node.Config{Name: "alice"})
		virtual.Pass(10 * time.Second)

		for i, l := range all {
			if !found(t, alice, l.ID()) {
				t.Errorf("number %d is not found", i)
			}
		}
		begun := time.Now()
		for i, l := range all {
			alice.send(t, l.ID(), fmt.Sprint("hello, number ", i))
		}
		if took := time.Since(begun); took > many*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// found says that the DHT knows a circuit to a node.
func found(t *testing.T, by living, id string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, answers, err := by.Find(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	circuit := false
	for a := range answers {
		for _, addr := range a.Addrs {
			circuit = circuit || a.Source == "dht" && strings.Contains(addr.String(), "/p2p-circuit")
		}
	}
	return circuit
}
