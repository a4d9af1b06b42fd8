// Package route decides what a node does with an envelope, whatever it carries.
// One pure function sees the envelope's path fields and who is connected, and
// answers with one of four actions:
//
//	for me                                         Deliver
//	recipient connected                            Forward to it
//	I am first in via, somebody is behind me       Forward to the next relay
//	path ends, its envelopes came by a neighbour   Forward to that one
//	I am last in via, recipient's addresses known  Forward to it, dialling
//	else, as a backup                              Store
//	else                                           Reject
//
// Via and hops are outside the signature: whoever had the envelope before may
// have written anything there. So a relay believes of via only that it is asked
// itself, and what a lie can cost is bounded by what is counted here: each relay
// that forwards sends one copy on, one hop further, and at four hops none.
package route
