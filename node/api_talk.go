package node

import (
	"context"

	"github.com/tom-protocol/tom/node/localapi"
)

func (a api) Talks(context.Context) (localapi.TalkList, error) {
	talks, at, err := a.n.Talks()
	all := localapi.TalkList{Cursor: localapi.Cursor(at)}
	for _, t := range talks {
		all.Talks = append(all.Talks, localapi.Talk{
			ID: peerID(t.With), Name: t.Name, Unread: t.Unread,
			Newest: localapi.At(t.Newest), Stranger: t.Stranger, Muted: t.Muted,
		})
	}
	return all, apiError(err, "")
}

func (a api) Talk(ctx context.Context, name string, before localapi.Cursor, limit int) (localapi.TalkPage, error) {
	p, err := a.n.Resolve(name)
	if err != nil {
		return localapi.TalkPage{}, apiError(err, name)
	}
	rows, next, more, err := a.n.Talk(ctx, p, Cursor(before), limit)
	if err != nil {
		return localapi.TalkPage{}, apiError(err, name)
	}
	page := localapi.TalkPage{More: more, Before: localapi.Cursor(next)}
	for _, w := range rows {
		page.Words = append(page.Words, a.words(w))
	}
	return page, nil
}

func (a api) words(w Words) (out localapi.Words) {
	if w.Received != nil {
		r := apiReceived(w.Received)
		out.Received = &r
		return out
	}
	out.Sent = &localapi.Own{
		Message: a.message(w.Sent.ID.String(), w.Sent.Status),
		Content: localapi.NewContent(w.Sent.Type, w.Sent.Body), Cursor: localapi.Cursor(w.Cursor),
	}
	return out
}
