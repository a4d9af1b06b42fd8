package groupstest

// topics are those of a node: what it says there comes to all who follow, and can
// talk to it, at once.
type topics struct{ n *Node }

type judge = func(b []byte) (take, forged bool)

// Follow takes part in a topic until leave is called.
func (x topics) Follow(topic string, f func(b []byte) (take, forged bool)) (leave func()) {
	t := x.n.town
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.talks[topic] == nil {
		t.talks[topic] = make(map[*Node]judge)
	}
	t.talks[topic][x.n] = f
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.talks[topic], x.n)
	}
}

// Publish says something in a topic that is followed.
func (x topics) Publish(topic string, b []byte) {
	t := x.n.town
	t.mu.Lock()
	_, follows := t.talks[topic][x.n]
	heard := make(map[*Node]judge)
	for n, f := range t.talks[topic] {
		if n != x.n && !t.cut(x.n.Key, n.Key) {
			heard[n] = f
		}
	}
	t.mu.Unlock()
	if !follows {
		return
	}
	for _, f := range heard {
		f(b)
	}
}

// Say says something in a topic, as a node that may not follow it.
func (t *Town) Say(topic string, b []byte) (takers int) {
	t.mu.Lock()
	var heard []judge
	for _, f := range t.talks[topic] {
		heard = append(heard, f)
	}
	t.mu.Unlock()
	for _, f := range heard {
		if take, _ := f(b); take {
			takers++
		}
	}
	return takers
}

// Topics are the topics that anybody follows.
func (t *Town) Topics() (names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, who := range t.talks {
		if len(who) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// Meeting is how many nodes follow each topic that any follows.
func (t *Town) Meeting() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := make(map[string]int)
	for topic, followers := range t.talks {
		if len(followers) > 0 {
			n[topic] = len(followers)
		}
	}
	return n
}
