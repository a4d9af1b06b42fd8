package prekeys

import "time"

// day is how long a prekey is sealed to.
const day = 24 * time.Hour

// linger is how long a day's private half outlives the day: the longest
// lifetime of an envelope, and half an hour for clocks that differ.
const linger = 24*time.Hour + 30*time.Minute

// DayOf returns the number of the day that t is in, counted from the epoch.
func DayOf(t time.Time) uint32 { return uint32(t.UnixMilli() / day.Milliseconds()) }

// StartOf returns when a day begins.
func StartOf(n uint32) time.Time { return time.UnixMilli(int64(n) * day.Milliseconds()) }

// DeathOf returns when the private half of a day's key is destroyed: 24 h
// 30 min after the day's end.
func DeathOf(n uint32) time.Time { return StartOf(n).Add(day + linger) }
