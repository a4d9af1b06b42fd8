// Package model is a world for groups: the machines that run in every node, over
// an event heap and a network of its own. One goroutine, a virtual clock, delays,
// losses, partitions, pauses and crashes out of a seed: the same seed gives the
// same run, and a day of it passes in seconds.
//
// Only cryptography is cheaper than it is: signatures are hashes that anybody
// could make. What is forged in a model test is forged by sending wrong things,
// not by breaking signatures.
package model
