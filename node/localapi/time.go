package localapi

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// TimeLayout is RFC 3339 with milliseconds, the form of every time in JSON.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// Time is a moment in JSON: RFC 3339 in UTC with milliseconds, null when zero.
type Time struct{ time.Time }

// At makes a Time of t.
func At(t time.Time) Time { return Time{t} }

// MarshalJSON writes the time in UTC, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return strconv.AppendQuote(nil, t.UTC().Format(TimeLayout)), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Time) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*t = Time{}
		return nil
	}
	s, err := strconv.Unquote(string(b))
	if err != nil {
		return fmt.Errorf("time %s is no string: %w", b, err)
	}
	parsed, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return err
	}
	t.Time = parsed.UTC()
	return nil
}
