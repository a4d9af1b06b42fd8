package localapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxRequest bounds a request's body, bytes: a message whose every byte JSON
// writes as six, and the fields around it.
const maxRequest = 6*MaxBody + 64<<10

// marshal is json.Marshal without turning <, > and & into escapes.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decode reads one JSON value and refuses fields nobody knows: a misspelt one
// would otherwise be ignored in silence.
func decode(r io.Reader, v any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil && dec.More() {
		err = errors.New("more than one value")
	}
	if err != nil {
		return Errorf(CodeBadRequest, "the request's body is not the JSON expected: %v", err)
	}
	return nil
}

// reply writes v with the given status. An error means that the other side
// has gone, which is its own affair.
func reply(w http.ResponseWriter, status int, v any) {
	b, err := marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"answer is not JSON","hint":""}}`)
	}
	// A request may have waited long; the deadline is for the write alone.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTimeout))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// errorBody is how an error travels.
type errorBody struct {
	Error *Error `json:"error"`
}

// replyError writes err; what is no *Error becomes an internal one.
func replyError(w http.ResponseWriter, err error) {
	var known *Error
	if !errors.As(err, &known) {
		known = Errorf(CodeInternal, "%v", err)
	}
	status, ok := httpStatus[known.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	reply(w, status, errorBody{known})
}
