// Package hub puts a group's records into order: it gives each its place, has
// the shadow hold it before it says Accepted, and sends every attached member
// what it lacks.
//
// Whether it may is not its affair: groups/failover says in each View whether the
// hub is open, who the shadow is, and who follows. A record is Accepted when the
// shadow has it, or, with one replica, when there is no shadow or it is silent.
// Only what is Accepted goes to the other members, so that nothing that anybody
// has seen is lost with the hub alone.
package hub
