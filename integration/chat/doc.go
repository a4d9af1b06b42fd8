// Package chat drives tomd chat by keys and mouse in a real terminal (tmux),
// between real daemons, and holds what is on the screen against golden text.
package chat
