package localapi

import (
	"fmt"
	"net/http"
)

// Code names a kind of failure, for programs.
type Code string

// The codes, and what each means.
const (
	CodeBadRequest     Code = "bad_request"     // the request itself is wrong
	CodeUnknownPeer    Code = "unknown_peer"    // no petname, peer id or contact link
	CodeNotFound       Code = "not_found"       // no such message, contact or route
	CodeNoReceipt      Code = "no_receipt"      // the recipient has not signed yet
	CodeExists         Code = "exists"          // the petname is taken
	CodeTooLarge       Code = "too_large"       // the message is over the limit
	CodeRefused        Code = "refused"         // the node will not do that, and says why
	CodeBusy           Code = "busy"            // a queue is full: try again
	CodeUnreachable    Code = "unreachable"     // nobody answers there
	CodeForwardSecrecy Code = "forward_secrecy" // demanded, and no prekey of the recipient is known
	CodeDiskFull       Code = "disk_full"       // nothing more can be stored
	CodeUnauthorized   Code = "unauthorized"    // no token, a wrong one, or a browser's request
	CodeStopping       Code = "stopping"        // the daemon is about to end
	CodeInternal       Code = "internal"        // a defect, or a failure nobody foresaw
)

var httpStatus = map[Code]int{
	CodeBadRequest:     http.StatusBadRequest,
	CodeUnknownPeer:    http.StatusNotFound,
	CodeNotFound:       http.StatusNotFound,
	CodeNoReceipt:      http.StatusNotFound,
	CodeExists:         http.StatusConflict,
	CodeTooLarge:       http.StatusRequestEntityTooLarge,
	CodeRefused:        http.StatusForbidden,
	CodeBusy:           http.StatusServiceUnavailable,
	CodeUnreachable:    http.StatusBadGateway,
	CodeForwardSecrecy: http.StatusConflict,
	CodeDiskFull:       http.StatusInsufficientStorage,
	CodeUnauthorized:   http.StatusUnauthorized,
	CodeStopping:       http.StatusServiceUnavailable,
	CodeInternal:       http.StatusInternalServerError,
}

// Error is a failure a user can do something about. Message is one sentence
// that says what happened, Hint one that says what to do; both without capital
// and full stop, as they are put together.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Errorf makes an Error without hint.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint says what to do, and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error is the message and the hint in one sentence.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}
