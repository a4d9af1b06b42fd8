package stress

import "slices"

// spans are numbers, kept as the ends of those that follow one another.
type spans [][2]int

// add puts a number in, and says whether it was not there.
func (s *spans) add(n int) bool {
	i, _ := slices.BinarySearchFunc(*s, n, func(span [2]int, n int) int { return span[1] - n })
	if i < len(*s) && (*s)[i][0] <= n {
		return false
	}
	before := i > 0 && (*s)[i-1][1] == n-1
	after := i < len(*s) && (*s)[i][0] == n+1
	switch {
	case before && after:
		(*s)[i-1][1] = (*s)[i][1]
		*s = slices.Delete(*s, i, i+1)
	case before:
		(*s)[i-1][1] = n
	case after:
		(*s)[i][0] = n
	default:
		*s = slices.Insert(*s, i, [2]int{n, n})
	}
	return true
}

func (s spans) has(n int) bool {
	i, _ := slices.BinarySearchFunc(s, n, func(span [2]int, n int) int { return span[1] - n })
	return i < len(s) && s[i][0] <= n
}
