// Package groups holds groups against real daemons: whoever is killed or sleeps,
// all members see one order, and the talk goes on. How long it halts is printed at
// the end. SOAK=1, or -groups.kills, measures that: it kills more often, in one trial
// after the other, and holds the times to limits.
package groups
