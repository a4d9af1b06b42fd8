package wire_test

import (
	"crypto/ed25519"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// The identities: seeds that count up from their first byte.
func signer(first byte) protocols.Signer {
	return protocols.NewSigner(protocols.Main, ed25519.NewKeyFromSeed(count(first, ed25519.SeedSize)))
}

func count(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

var (
	alice  = signer(0x10)
	bob    = signer(0x30)
	carol  = signer(0x50)
	bearer = signer(0x70)
)

const made wire.Millis = 1_790_000_000_123

func settings() wire.Settings {
	return wire.Settings{Name: "Hikers ⛰", Open: true, Max: 1000, Beat: 500, HubRelays: []protocols.Key{carol.Public()}}
}

func charter() wire.Charter {
	return wire.Charter{Creator: alice.Public(), Nonce: [16]byte(count(1, 16)), Settings: settings()}
}

func group() wire.GroupID { return wire.GroupOf(charter().Sign(alice)) }

func term() wire.Term { return wire.Term{Number: 3, Opened: [32]byte(count(0x40, 32))} }

func place() wire.Place { return wire.Place{Number: 3, Primary: bob.Public(), Seq: 300} }

func hubRecord(cause wire.Cause) wire.HubRecord {
	h := wire.HubRecord{
		Group: group(), Number: 3, Version: 1, Primary: bob.Public(), Shadow: carol.Public(),
		Links: []wire.HubHash{[32]byte(count(0x20, 32))}, Cause: cause, Seq: 300, Log: [32]byte(count(0x60, 32)),
	}
	switch cause {
	case wire.CauseFirst:
		h.Number, h.Seq, h.Shadow = 1, 0, protocols.Key{}
	case wire.CauseChange:
		h.Version, h.Candidate = 2, alice.Public()
	case wire.CauseMerge:
		h.Links = append(h.Links, [32]byte(count(0x21, 32)))
	case wire.CauseAdmin:
		h.Admin = alice.Public()
	}
	return h
}

func signedHub(cause wire.Cause) []byte {
	h := hubRecord(cause)
	var admin []byte
	if cause == wire.CauseAdmin {
		admin = h.SignAdmin(alice)
	}
	return h.Sign(bob, admin)
}

func head() wire.Head {
	return wire.Head{Group: group(), Term: term(), Primary: bob.Public(), Seq: 300, Log: [32]byte(count(0x60, 32)), Time: made}
}

func beat() wire.Beat {
	return wire.Beat{Group: group(), Node: bob.Public(), Term: term(), Version: 2, Counter: 77, Seq: 300, Time: made}
}

func report() wire.Report {
	return wire.Report{Group: group(), Reporter: carol.Public(), Opened: [32]byte(count(0x40, 32)), Last: 77, Time: made}
}

func attach() wire.Attach {
	return wire.Attach{Group: group(), Member: carol.Public(), Opened: [32]byte(count(0x40, 32)), Last: place(), Log: [32]byte(count(0x60, 32)), Time: made}
}

func receipt(waiting ...wire.Seq) wire.Receipt {
	if waiting == nil {
		waiting = []wire.Seq{}
	}
	return wire.Receipt{Group: group(), Member: carol.Public(), Last: place(), Log: [32]byte(count(0x60, 32)), Read: 299, Waiting: waiting, Time: made}
}

func withdrawal() wire.Withdrawal {
	return wire.Withdrawal{Group: group(), Claimant: carol.Public(), Claim: [32]byte(count(0x40, 32)), Back: [32]byte(count(0x20, 32)), Time: made}
}

func invite(link bool) wire.Invite {
	i := wire.Invite{
		Issuer: alice.Public(), Charter: charter().Sign(alice), For: bob.Public(), Uses: 1, Expires: made + 3_600_000,
		Roster: 4, RosterHash: [32]byte(count(0x80, 32)), Seq: 300, Log: [32]byte(count(0x60, 32)), Made: made,
	}
	if link {
		i.For, i.Bearer, i.Uses = protocols.Key{}, bearer.Public(), 20
	}
	return i
}

func invitation(link bool) wire.Invitation {
	i := wire.Invitation{
		Invite: invite(link).Sign(alice), Secret: [32]byte(count(0xa0, 32)), Name: "Alice",
		Addrs: [][]byte{{4, 127, 0, 0, 1, 6, 0x10, 0x92}},
	}
	if link {
		i.Seed = count(0x70, 32)
	}
	return i
}

func record(kind wire.Kind, payload []byte) wire.Record {
	return wire.Record{Group: group(), ID: [16]byte(count(0xc0, 16)), Kind: kind, Author: bob.Public(), Time: made, Payload: payload}
}

func signedRecord() []byte {
	return wire.SignRecords(bob, []wire.Record{record(wire.KindRename, (&wire.Rename{Name: "x"}).Append(nil))})[0]
}

func message() wire.Message {
	return wire.Message{Chain: [16]byte(count(0xd0, 16)), Index: 200, Roster: 4, Ciphertext: count(0, 300)}
}

func roster() wire.Roster {
	return wire.Roster{
		Version: 4, Settings: settings(),
		Members: []wire.Member{
			{Node: alice.Public(), Role: wire.RoleAdmin, Name: "Alice"},
			{Node: bob.Public(), Role: wire.RoleMember, Admission: [16]byte(count(0xc0, 16)), RoleRecord: [16]byte(count(0xb0, 16)), Name: "Bob"},
		},
		Invites: []wire.SpentInvite{{Hash: [32]byte(count(0x90, 32)), Left: 3, Expires: made}, {Hash: [32]byte(count(0x91, 32)), Expires: made}},
		Removal: 3, Voiding: 2, Kicked: []wire.Kicked{{Node: carol.Public(), At: 2}},
	}
}

func senderKey() wire.SenderKey {
	return wire.SenderKey{
		Group: group(), Chain: [16]byte(count(0xd0, 16)), Roster: 4, RosterHash: [32]byte(count(0x80, 32)), Index: 7,
		State: [32]byte(count(0xf0, 32)), Head: head().Sign(bob), Secret: [32]byte(count(0xa0, 32)), SecretVersion: 3,
	}
}

func keyRequest() wire.KeyRequest {
	return wire.KeyRequest{Group: group(), Chain: [16]byte(count(0xd0, 16)), Author: bob.Public(), Record: [16]byte(count(0xc0, 16))}
}
