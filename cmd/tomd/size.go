package main

import (
	"fmt"
	"strconv"
	"strings"
)

// leastSize is the smallest size that makes sense for what it bounds.
const leastSize = 1 << 20

// parseSize reads a number of bytes, with K, M, G or T for multiples of 1024;
// the empty text is 0, which stands for the default.
func parseSize(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	digits, shift := strings.TrimSuffix(strings.ToUpper(s), "B"), 0
	if at := strings.IndexByte("KMGT", last(digits)); at >= 0 {
		digits, shift = digits[:len(digits)-1], 10*(at+1)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > 1<<(62-shift) {
		return 0, fmt.Errorf("%q is no size: say 512M, for example", s)
	}
	if n <<= shift; n < leastSize {
		return 0, fmt.Errorf("%q is too small: 1M at least", s)
	}
	return n, nil
}

func last(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

// sizeText is a number of bytes as a person reads it.
func sizeText(n int64) string {
	const units = "KMGT"
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + units[unit:unit+1] + "iB"
}
