package main

import "math/rand/v2"

// makeBodies makes n bodies no two of which are alike.
func makeBodies(n int) [][]byte {
	source := rand.NewChaCha8([32]byte{1})
	all := make([]byte, n*bodySize)
	source.Read(all)
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = all[i*bodySize : (i+1)*bodySize : (i+1)*bodySize]
	}
	return bodies
}
