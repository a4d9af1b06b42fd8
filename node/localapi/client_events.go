package localapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
)

// maxEvent bounds one line of an event stream, bytes.
const maxEvent = maxRequest

// Events gives the events after since, and goes on with those to come until
// ctx ends or the caller stops; Latest asks only for those to come. An event
// with Gap says that since is too old: what still is follows. After an error
// the caller may go on from the last cursor it saw.
func (c *Client) Events(ctx context.Context, since Cursor) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		path := "events"
		if since != Latest {
			path += "?since=" + strconv.FormatUint(uint64(since), 10)
		}
		resp, err := c.do(ctx, "GET", path, nil)
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer resp.Body.Close()
		goOn := true
		err = readEvents(resp.Body, func(e Event) bool {
			goOn = yield(e, nil)
			return goOn
		})
		if goOn {
			yield(Event{}, c.explain(ctx, err))
		}
	}
}

// readEvents calls fn for each event until fn is false or the stream ends,
// which is an error. Of the format it needs only data lines: the server writes
// an event's data on one.
func readEvents(r io.Reader, fn func(Event) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var e Event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if !fn(e) {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the stream ended")
}
