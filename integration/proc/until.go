package proc

import (
	"context"
	"fmt"
	"time"
)

// Until looks again and again, every 20 ms, until nothing is missing: for what
// another process knows and gives no word of. It returns how long that took,
// and an error saying what is missing once patience is over or ctx has ended.
func Until(ctx context.Context, patience time.Duration, look func() (missing string)) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for began := time.Now(); ; {
		missing := look()
		if missing == "" {
			return time.Since(began), nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return time.Since(began), fmt.Errorf("after %v: %s", patience, missing)
		}
	}
}
