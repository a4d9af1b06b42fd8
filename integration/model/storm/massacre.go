package storm

// Sleep turns some nodes off, which no massacre takes: they are who mail is for.
func (w *World) Sleep(n int) {
	for _, o := range w.nodes[:n] {
		o.stop()
		w.sleepers.put(o.index)
	}
}

// SendToSleepers has a node that is up write to one that sleeps.
func (w *World) SendToSleepers() {
	n := w.sleepers.count()
	from := w.nodes[n+w.rand.IntN(len(w.nodes)-n)]
	w.Send(from, w.nodes[w.rand.IntN(n)])
}

// LossIf is for each stored message how likely it is lost if so many of the
// nodes that are up, drawn at random, die at one moment: all that have it, and
// its author, must be among them.
func (w *World) LossIf(deaths int) (all []float64) {
	up := len(w.nodes) - w.sleepers.count()
	for _, m := range w.all {
		if !m.Stored || m.Receipts != nil {
			continue
		}
		needed := m.copies
		needed.put(w.byKey[m.From].index)
		p := 1.0
		for i := range needed.count() {
			p *= float64(deaths-i) / float64(up-i)
		}
		all = append(all, max(p, 0))
	}
	return all
}

// Massacre has so many of the nodes that are up die at one moment.
func (w *World) Massacre(deaths int) {
	for _, i := range w.rand.Perm(len(w.nodes)) {
		if n := w.nodes[i]; n.up && deaths > 0 {
			n.die()
			deaths--
		}
	}
}
