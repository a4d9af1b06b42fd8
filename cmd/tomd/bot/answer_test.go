package bot

import (
	"regexp"
	"testing"
)

func TestAnswersAreKnownByTheirType(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]bool{
		typeOf("x"): true, answerType: true, "TEXT/VND.ToM.Answer ; to=y": true,
		"text/plain": false, "text/vnd.tom.answers": false, "": false, "text/plain; text/vnd.tom.answer": false,
	} {
		if isAnswer(kind) != want {
			t.Errorf("%q: %v", kind, !want)
		}
	}
}

func TestAnAnswerHasOneIDAndAnotherHasAnother(t *testing.T) {
	t.Parallel()
	const id = "01a21565-4f33-73b7-b084-78efb42442d1"
	direct := item{talk: talk{id: "alice"}, id: id}
	inGroup := item{talk: talk{group: true, id: "friends"}, id: "01a215654f3373b7b08478efb42442d1"}
	seen := map[string]string{}
	for name, get := range map[string]func() (string, error){
		"direct":         func() (string, error) { return answerID("me", "alice", direct) },
		"of another bot": func() (string, error) { return answerID("you", "alice", direct) },
		"of another":     func() (string, error) { return answerID("me", "bob", item{talk: talk{id: "bob"}, id: id}) },
		"in a group":     func() (string, error) { return answerID("me", "alice", inGroup) },
		"of the next":    func() (string, error) { return answerID("me", "alice", item{talk: direct.talk, id: id[:35] + "2"}) },
	} {
		first, err := get()
		second, _ := get()
		if err != nil || first != second || seen[first] != "" {
			t.Errorf("%s: %s, %s, %v; %s has it too", name, first, second, err, seen[first])
		}
		seen[first] = name
		form := regexp.MustCompile(`^01a21565-4f33-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		if name == "in a group" {
			form = regexp.MustCompile(`^01a215654f337[0-9a-f]{3}[89ab][0-9a-f]{15}$`)
		}
		if !form.MatchString(first) {
			t.Errorf("%s: %s is no such id", name, first)
		}
	}
	if _, err := answerID("me", "alice", item{id: "no id"}); err == nil {
		t.Error("anything is an id")
	}
}
