// Package roster is who belongs to a group, with which rights: the fold of a
// log's roster records, that every member makes for itself.
//
// A record takes effect or is void, and all that decides it is in the log, so
// that all who hold the same log have the same roster: who was a member when,
// what the record names, what the invite says, the times that authors gave.
// Clocks are the hub's to compare, when it first takes a record.
//
// Seniority is the order of the members: admins by when they became admins, the
// creator first, then the others by when they came in. Nobody can kick or demote
// one senior to it, so no two of such records contradict each other. Who is
// demoted begins anew behind all others. If no admin is left, the most senior
// member is one.
package roster
