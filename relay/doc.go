// Package relay is the place of everything a node does for envelopes that are
// not its own. One pure function decides for each whether to deliver, forward,
// store or reject it (relay/route); others choose whom to ask to relay
// (relay/choose), which roles to take up by circumstance (relay/role), what a
// peer's work has been worth (relay/reputation) and whose turn it is under load
// (relay/fair). The service in this package does the reading, writing and timing
// around them. A relay can neither read nor forge what it passes on.
package relay
