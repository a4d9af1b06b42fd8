// Package groups is the place of conversations of more than two: a signed,
// hash-chained log with a 24-hour tail, sequenced by a hub that can neither read
// nor forge nor admit, and that is replaced when it fails. The rules are pure
// code, in packages of their own: the records (groups/wire), who is a member and
// with which rights (groups/roster), the sequencer (groups/hub), the member's
// side of it (groups/member), who follows a hub that is gone (groups/failover)
// and the keys of the content (groups/senderkey). The service in this package
// does the reading, writing and timing around them.
package groups
