// Package groups is the place of conversations of more than two: a signed,
// hash-chained log with a 24-hour tail, sequenced by a hub that can neither read
// nor forge nor admit, and that is replaced when it fails. The rules are pure
// code, in packages of their own.
//
// Of these there are the structures and frames (groups/wire), who is a member
// with which rights (groups/roster), and the keys of the content
// (groups/senderkey). No node speaks them yet.
package groups
