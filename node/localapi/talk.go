package localapi

import "net/http"

// Talk is what was said with one peer, in sum.
type Talk struct {
	ID       string `json:"id"`   // peer id
	Name     string `json:"name"` // as in Peer
	Unread   int    `json:"unread"`
	Newest   Time   `json:"newest"` // when the newest was received, or made here
	Stranger bool   `json:"stranger"`
	Muted    bool   `json:"muted"`
}

// TalkList is all talks, newest first, as they stood at Cursor: the events after
// it tell what came since.
type TalkList struct {
	Talks  List[Talk] `json:"talks"`
	Cursor Cursor     `json:"cursor"`
}

// TalkPage is a part of what was said with one peer, oldest first.
type TalkPage struct {
	Words  List[Words] `json:"words"`
	More   bool        `json:"more"`   // there is more before Before
	Before Cursor      `json:"before"` // to ask for what came earlier; 0 if there is nothing
}

// Words is something that was said. One of the two is set.
type Words struct {
	Received *Received `json:"received,omitempty"`
	Sent     *Own      `json:"sent,omitempty"`
}

// Own is a message of ours that was to be kept.
type Own struct {
	Message
	Content
	Cursor Cursor `json:"cursor"`
}

func talk(s *Server, r *http.Request) (any, error) {
	v := r.URL.Query()
	before, err := parseCursor(v.Get("before"))
	if err != nil {
		return nil, err
	}
	limit, err := pageLimit(v, DefaultPage)
	if err != nil {
		return nil, err
	}
	return s.cfg.Backend.Talk(r.Context(), r.PathValue("id"), before, limit)
}
