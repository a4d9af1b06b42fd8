package backup_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/backup"
)

func key(i int) (k protocols.Key) {
	k[0], k[1], k[31] = byte(i), byte(i>>8), 0x40
	return k
}

const old = 48 * time.Hour

func candidates(n int) []backup.Candidate {
	all := make([]backup.Candidate, n)
	for i := range all {
		all[i] = backup.Candidate{Key: key(i + 1), Place: backup.Place(string(rune('a' + i))), Known: old}
	}
	return all
}

func keysOf(all []backup.Candidate) (keys []protocols.Key) {
	for _, c := range all {
		keys = append(keys, c.Key)
	}
	return keys
}

func TestTheOrderIsTheSameWhoeverLooks(t *testing.T) {
	t.Parallel()
	a, b := candidates(50), candidates(50)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	backup.Sort(key(99), a)
	backup.Sort(key(99), b)
	if !slices.Equal(keysOf(a), keysOf(b)) {
		t.Error("two orders")
	}
	// Without one of them, the others stay as they were.
	c := slices.DeleteFunc(candidates(50), func(c backup.Candidate) bool { return c.Key == a[3].Key })
	backup.Sort(key(99), c)
	if want := slices.Delete(keysOf(a), 3, 4); !slices.Equal(keysOf(c), want) {
		t.Error("the order of the others changed")
	}
}

func TestWeightsDecideHowOftenANodeComesFirst(t *testing.T) {
	t.Parallel()
	const recipients = 4000
	first := 0
	for i := range recipients {
		all := candidates(10)
		all[0].Offers, all[0].Uptime = true, 25*time.Hour // weighs six times as much
		backup.Sort(key(1000+i), all)
		if all[0].Key == key(1) {
			first++
		}
	}
	const want = recipients * 6 / 15.0
	if math.Abs(float64(first)-want) > 4*math.Sqrt(want*0.6) {
		t.Errorf("first for %d recipients of %d, want about %.0f", first, recipients, want)
	}
}

func TestWhoIsNearComesFirst(t *testing.T) {
	t.Parallel()
	all := candidates(20)
	all[7].Near = true
	backup.Sort(key(99), all)
	if all[0].Key != key(8) {
		t.Errorf("first is %v", all[0].Key)
	}
}

func TestHoldersAreSpreadWhereTheyCanBe(t *testing.T) {
	t.Parallel()
	node := func(i int, place backup.Place, known time.Duration) backup.Candidate {
		return backup.Candidate{Key: key(i), Place: place, Known: known}
	}
	for name, c := range map[string]struct {
		sorted, already []backup.Candidate
		n               int
		want            []int
	}{
		"no two in one place":              {[]backup.Candidate{node(1, "a", old), node(2, "a", old), node(3, "b", old)}, nil, 2, []int{1, 3}},
		"unless there is no other":         {[]backup.Candidate{node(1, "a", old), node(2, "a", old)}, nil, 2, []int{1, 2}},
		"unknown places are no one place":  {[]backup.Candidate{node(1, "", old), node(2, "", old)}, nil, 2, []int{1, 2}},
		"nor with those who have it":       {[]backup.Candidate{node(1, "a", old), node(2, "b", old)}, []backup.Candidate{node(3, "a", old)}, 1, []int{2}},
		"one newcomer":                     {[]backup.Candidate{node(1, "a", 0), node(2, "b", 0), node(3, "c", old)}, nil, 2, []int{1, 3}},
		"more, if there is nobody else":    {[]backup.Candidate{node(1, "a", 0), node(2, "b", 0)}, nil, 2, []int{1, 2}},
		"apart rather than long known":     {[]backup.Candidate{node(1, "a", 0), node(2, "b", 0), node(3, "a", old)}, nil, 2, []int{1, 2}},
		"nobody twice":                     {[]backup.Candidate{node(1, "a", old)}, []backup.Candidate{node(1, "a", old)}, 2, nil},
		"no more than asked for":           {candidates(9), nil, 3, []int{1, 2, 3}},
		"newcomers that have it count too": {[]backup.Candidate{node(1, "a", 0), node(2, "b", old)}, []backup.Candidate{node(3, "c", 0)}, 1, []int{2}},
	} {
		var want []protocols.Key
		for _, i := range c.want {
			want = append(want, key(i))
		}
		if got := keysOf(backup.Choose(c.sorted, c.already, c.n)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
