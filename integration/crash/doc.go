// Package crash kills real daemons in the middle of their work, and moves them
// elsewhere, and looks for what was lost and what came twice.
package crash
