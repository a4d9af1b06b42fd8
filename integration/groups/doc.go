// Package groups holds groups against real daemons: whoever is killed, all
// members see one order, and the talk goes on.
package groups
