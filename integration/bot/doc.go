// Package bot runs tomd bot beside real daemons: each message is answered once,
// whoever is killed when, in talks and in groups, and no two bots talk to each
// other for ever.
package bot
