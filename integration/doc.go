// Package integration holds what no single package can show: the rules that
// hold between packages, and tests of whole nodes as real processes. Its
// subdirectories are programs the Makefile runs.
package integration
