package localapi

import (
	"context"
	"net/http"
	"slices"
)

type (
	joinRequest struct {
		Invite string `json:"invite"`
	}
	groupReadRequest struct {
		Seq uint64 `json:"seq"`
	}
)

// with is a route to a method that takes the path's {id} and the request's body.
func with[In, Out any](f func(Backend, context.Context, string, In) (Out, error)) handler {
	return func(s *Server, r *http.Request) (any, error) {
		var body In
		if err := decode(r.Body, &body); err != nil {
			return nil, err
		}
		return f(s.cfg.Backend, r.Context(), r.PathValue("id"), body)
	}
}

func createGroup(b Backend, ctx context.Context, _ string, g NewGroup) (GroupRef, error) {
	return b.CreateGroup(ctx, g)
}

func joinGroup(b Backend, ctx context.Context, _ string, j joinRequest) (GroupRef, error) {
	return b.JoinGroup(ctx, j.Invite)
}

func markGroupRead(b Backend, ctx context.Context, group string, q groupReadRequest) (empty, error) {
	return empty{}, b.MarkGroupRead(ctx, group, q.Seq)
}

// groupRecord answers how far a record has come, at once or when it has come as
// far as asked.
func groupRecord(s *Server, r *http.Request) (any, error) {
	q := r.URL.Query()
	want := GroupState(q.Get("wait"))
	if want != "" && !slices.Contains(groupProgress, want) {
		return nil, Errorf(CodeBadRequest, "no record waits for %q", want).WithHint("wait for one of %v", groupProgress)
	}
	timeout, err := waitTime(q, "timeout")
	if err != nil {
		return nil, err
	}
	var sent GroupSent
	err = s.waiting(r, timeout, func(ctx context.Context) (err error) {
		sent, err = s.cfg.Backend.GroupRecord(ctx, r.PathValue("id"), r.PathValue("record"), want, timeout)
		return err
	})
	return sent, err
}

func groupLog(s *Server, r *http.Request) (any, error) {
	v := r.URL.Query()
	since, err := parseCursor(v.Get("since"))
	if err != nil {
		return nil, err
	}
	q := GroupLogQuery{Since: uint64(since)}
	if q.Limit, err = pageLimit(v, MaxPage); err != nil {
		return nil, err
	}
	if q.Wait, err = waitTime(v, "wait"); err != nil {
		return nil, err
	}
	var list []GroupRecord
	err = s.waiting(r, q.Wait, func(ctx context.Context) (err error) {
		list, err = s.cfg.Backend.GroupLog(ctx, r.PathValue("id"), q)
		return err
	})
	return List[GroupRecord](list), err
}
