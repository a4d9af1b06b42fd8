package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// answerType is the content type of answers. Whom they answer stands behind it, as
// a parameter.
const answerType = "text/vnd.tom.answer"

// typeOf is the content type of the answer to a message.
func typeOf(id string) string { return answerType + "; to=" + id }

// isAnswer says that a bot wrote something of that content type.
func isAnswer(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), answerType)
}

// answerID is the id of the answer that me gives to from's message in a talk: a
// UUIDv7 with the message's time, and for the rest a hash, so that the answer to
// the same message has the same id always, and another's has another.
func answerID(me, from string, it item) (string, error) {
	id, err := hex.DecodeString(strings.ReplaceAll(it.id, "-", ""))
	if err != nil || len(id) != 16 {
		return "", errors.New("the message has no id of a known form")
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{"tom-bot-answer", me, from, it.talk.id, it.id}, "\x00")))
	copy(id[6:], sum[:])
	id[6] = id[6]&0x0f | 7<<4
	id[8] = id[8]&0x3f | 2<<6
	if it.group {
		return hex.EncodeToString(id), nil
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:]), nil
}
