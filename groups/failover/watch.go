package failover

import (
	"slices"
	"time"

	"github.com/tom-protocol/tom/groups/wire"
	"github.com/tom-protocol/tom/protocols"
)

// watch is what a node that is no hub knows of its hub.
type watch struct {
	life       time.Time // when the primary was heard last, or heard of by a witness
	heard      time.Time // when it was heard last, itself; zero: never
	beat       *wire.Beat
	heardBeat  time.Time     // when the last beat came
	grew       time.Time     // when a beat came that told of new records; zero: none did
	jitter     time.Duration // recent deviation of the time between beats
	asked      time.Time     // when this node asked the primary first since life; zero: it did not
	again      time.Time     // when it asked last
	missed     time.Time     // when it asked last because of a version of the record that it has not
	witness    time.Time     // when it asked witnesses; zero: it did not
	yes        int           // witnesses that had newer beats, running
	silence    time.Time     // when the first question stayed unanswered
	spoke      time.Time     // when this node sent it what it has to answer, since it was heard last
	reported   time.Time
	nextAttach time.Time
	pending    *Branch // a claim, while the primary is asked
	pendingAt  time.Time
	pendingOf  wire.Counter // the newest beat known when the claim came
	askers     []asker
}

// asker is a shadow that waits for a beat of the primary.
type asker struct {
	peer   protocols.Key
	n      uint64
	newest wire.Counter
	at     time.Time
}

func (m *Machine) named() bool { return m.d.Current.Record.Names(m.self) }

// Heard is when the primary was heard last, in its present term.
func (m *Machine) Heard() time.Time { return m.watch.heard }

// miss is how long a silence of the primary is one.
func (m *Machine) miss() time.Duration { return max(m.tenths(missTenths), 4*m.watch.jitter) }

// firstMiss is when this node begins to doubt: shadow and candidate by their
// beats, others by theirs.
func (m *Machine) firstMiss() time.Duration {
	if m.named() {
		return m.miss()
	}
	return m.miss() * membersEvery
}

func (m *Machine) newest() wire.Counter {
	if m.watch.beat == nil {
		return 0
	}
	return m.watch.beat.Counter
}

// alive notes that the primary was heard. A condemned one may as well be dead.
func (m *Machine) alive(now time.Time) {
	if m.isCondemned(now, m.d.Current.Primary()) {
		return
	}
	w := &m.watch
	w.life, w.asked, w.witness, w.yes, w.silence = now, time.Time{}, time.Time{}, 0, time.Time{}
	w.heard = now
}

// doubtAfter is how long what this node sends its primary may stay without any
// sign of it.
func (m *Machine) doubtAfter() time.Duration { return min(m.tenths(doubtTenths), time.Second) }

// Spoke notes that this node sent its primary what it has to answer: who writes
// learns of a silent hub before those who only listen.
func (m *Machine) Spoke(now time.Time) {
	if m.Leads() || m.watch.spoke.After(m.watch.life) {
		return
	}
	m.watch.spoke = now
	m.schedule(now)
}

// unanswered says that it stayed so for too long.
func (m *Machine) unanswered(now time.Time) bool {
	return m.watch.spoke.After(m.watch.life) && now.Sub(m.watch.spoke) >= m.doubtAfter()
}

// nextDue is when the primary's next beat was due: where it puts records in order
// very soon after the last one.
func (m *Machine) nextDue() time.Time {
	w := &m.watch
	if m.named() && w.heardBeat.Sub(w.grew) < busyTrust {
		return w.heardBeat.Add(max(m.miss()-slowPath, m.tenths(busyTenths)+sentAgainBusy))
	}
	return m.beatDue()
}

// beatDue is when the next beat was due in a group that is not busy.
func (m *Machine) beatDue() time.Time {
	return m.watch.heardBeat.Add(max(m.miss()-slowPath, m.beat+sentAgain))
}

// ask asks the primary for a sign of life.
func (m *Machine) ask(now time.Time) {
	m.watch.again = now
	m.send(m.d.Current.Primary(), &wire.Alive{Group: m.cfg.Group, Opened: m.d.Current.Term().Opened, Newest: m.newest()})
}

func (m *Machine) watchTick(now time.Time) {
	if !now.Before(m.watch.nextAttach) {
		m.attach(now)
	}
	m.watch.askers = slices.DeleteFunc(m.watch.askers, func(a asker) bool { return now.Sub(a.at) > m.tenths(forgetTenths) })
	if m.followPending(now) {
		return
	}
	silent := now.Sub(m.watch.life)
	if silent >= m.firstMiss() || m.unanswered(now) || m.sole() && silent >= m.miss() {
		m.startAsking(now)
	}
	m.keepAsking(now)
	if m.named() && (silent >= m.firstMiss() || m.reports() > 0 && silent >= m.doubtAfter()+m.mute()) {
		m.askWitnesses(now)
	}
	if m.claims(now, silent) {
		m.claim(now)
	}
}

func (m *Machine) startAsking(now time.Time) {
	if m.watch.asked.IsZero() {
		m.watch.asked = now
		m.ask(now)
	}
}

// keepAsking asks again, notes that no answer came, and tells the others.
func (m *Machine) keepAsking(now time.Time) {
	w := &m.watch
	if w.asked.IsZero() {
		return
	}
	wait := m.tenths(askTenths)
	if now.Sub(w.again) >= wait {
		m.ask(now)
	}
	if w.silence.IsZero() && now.Sub(w.asked) >= wait && now.Sub(w.life) >= m.miss() {
		w.silence = now
	}
	if !m.relay(m.self) && now.Sub(w.asked) >= m.mute() && now.Sub(w.reported) >= m.tenths(reportTenths) {
		w.reported = now
		r := wire.Report{Group: m.cfg.Group, Opened: m.d.Current.Term().Opened, Last: m.newest(), Time: millis(now)}
		m.toAll(&wire.ReportFrame{Report: r.Sign(m.cfg.Signer)})
	}
}

// mute is how long a primary that was asked may be silent before it is reported:
// less than a miss where beats are far apart, but never what a slow path explains.
func (m *Machine) mute() time.Duration { return max(m.tenths(askTenths), slowPath) }

// askWitnesses asks up to three members for a beat newer than ours.
func (m *Machine) askWitnesses(now time.Time) {
	if !m.watch.witness.IsZero() {
		return
	}
	m.watch.witness = now
	asked := 0
	for _, k := range m.byRank(m.d.Current.Record.Number, m.members) {
		if k == m.self || k == m.d.Current.Primary() || asked == maxWitnesses {
			continue
		}
		asked++
		m.send(k, &wire.Alive{N: 1, Group: m.cfg.Group, Opened: m.d.Current.Term().Opened, Newest: m.newest()})
	}
}

// claims says whether it is time to claim.
func (m *Machine) claims(now time.Time, silent time.Duration) bool {
	w, r := &m.watch, m.d.Current.Record
	if m.isCondemned(now, m.self) || !m.hears(m.self) {
		return false
	}
	if m.isDisplaced(now, m.self) && silent < m.tenths(lastTenths) {
		return false
	}
	if m.sole() { // nobody else could: the hub was taken out, and went without handing over
		return silent >= m.tenths(missTwoTenths) && m.askedInVain(now)
	}
	over := m.miss() - m.tenths(missTenths) // what a jittery path adds
	waited := !w.witness.IsZero() && now.Sub(w.witness) >= m.tenths(witnessTenths)
	reports := m.reports()
	switch m.self {
	case r.Shadow:
		return waited && m.askedInVain(now) && (silent >= m.tenths(missTwoTenths)+over || reports > 0 && silent >= m.miss())
	case r.Candidate:
		later := m.tenths(candidateTenths - missTwoTenths) // than any shadow that is there
		return waited && silent >= m.tenths(candidateTenths)+over && now.Sub(m.beatDue()) > slowPath+later
	}
	if w.silence.IsZero() || reports == 0 || m.relay(m.self) {
		return false
	}
	wait := m.tenths(orphanTenths) + time.Duration(m.place(r.Number+1))*m.tenths(staggerTenths)
	if len(m.members) >= 10 && reports < 2 {
		wait += 2 * m.tenths(orphanTenths) // as many as still answer
	}
	return now.Sub(w.silence) >= wait
}

// reports counts the other members that said the primary is silent, since it
// was heard last.
func (m *Machine) reports() (n int) {
	for _, p := range m.peers {
		if p.reported.After(m.watch.life) {
			n++
		}
	}
	return n
}

// byRank returns nodes by their rank in a term.
func (m *Machine) byRank(n wire.Number, nodes []protocols.Key) []protocols.Key {
	type ranked struct {
		key  protocols.Key
		rank [32]byte
	}
	all := make([]ranked, len(nodes))
	for i, k := range nodes {
		all[i] = ranked{k, wire.Rank(m.cfg.Group, n, k)}
	}
	slices.SortFunc(all, func(a, b ranked) int { return slices.Compare(a.rank[:], b.rank[:]) })
	keys := make([]protocols.Key, len(all))
	for i, r := range all {
		keys[i] = r.key
	}
	return keys
}

// place is this node's place by rank among those whom the record does not name, at
// most 8: others may be away.
func (m *Machine) place(n wire.Number) int {
	r := m.d.Current.Record
	unnamed := slices.DeleteFunc(m.byRank(n, m.members), func(k protocols.Key) bool { return k == r.Primary || r.Names(k) })
	return min(slices.Index(unnamed, m.self), 8)
}

// attach tells the primary that this node follows it, and how far its log goes.
func (m *Machine) attach(now time.Time) {
	m.watch.nextAttach = now.Add(m.beat * membersEvery)
	place, hash := m.cfg.Log()
	a := wire.Attach{Group: m.cfg.Group, Opened: m.d.Current.Term().Opened, Last: place, Log: hash, Time: millis(now)}
	m.send(m.d.Current.Primary(), &wire.AttachFrame{Attach: a.Sign(m.cfg.Signer)})
}

// Attach asks for an attach at once: the log was cut, or has a gap.
func (m *Machine) Attach(now time.Time) {
	if !m.Leads() {
		m.attach(now)
	}
}

// OnFrame notes that a peer sent anything that is of this term: a sign of life.
func (m *Machine) OnFrame(now time.Time, from protocols.Key, number wire.Number) {
	m.checkLate(now)
	if !m.Leads() && from == m.d.Current.Primary() && number == m.d.Current.Record.Number {
		m.alive(now)
	}
	if m.Leads() {
		m.peer(from).heard = now
	}
	m.schedule(now)
}

// OnBeat takes a beat: the primary's, or a member's answer.
func (m *Machine) OnBeat(now time.Time, from protocols.Key, b *wire.Beat) {
	m.checkLate(now)
	defer m.schedule(now)
	if b.Node != from || b.Group != m.cfg.Group {
		return
	}
	if b.Term != m.d.Current.Term() {
		m.shown(now, b)
		m.stranger(now, from)
		return
	}
	switch {
	case m.Leads():
		m.echoed(now, from, b)
	case from == m.d.Current.Primary():
		m.primaryBeat(now, b)
	}
}

// primaryBeat takes a beat of the primary, from itself or through a witness.
func (m *Machine) primaryBeat(now time.Time, b *wire.Beat) {
	if m.isCondemned(now, b.Node) || b.Counter <= m.newest() {
		return
	}
	w := &m.watch
	m.noteJitter(now, b)
	if w.beat != nil && b.Seq > w.beat.Seq {
		w.grew = now
	}
	w.beat, w.heardBeat = b, now
	m.alive(now)
	place, _ := m.cfg.Log()
	answer := wire.Beat{
		Group: m.cfg.Group, Term: b.Term, Version: m.d.Current.Record.Version, Counter: b.Counter, Seq: place.Seq, Time: millis(now),
	}
	m.send(b.Node, &wire.BeatFrame{Beat: answer.Sign(m.cfg.Signer)})
	if b.Version > m.d.Current.Record.Version && now.Sub(w.missed) >= m.tenths(askTenths) {
		w.missed = now
		m.ask(now)
	}
	for _, a := range w.askers {
		if b.Counter > a.newest {
			m.send(a.peer, &wire.AliveAnswer{N: a.n, Beat: b.Bytes()})
		}
	}
	w.askers = nil
	if w.pending != nil && b.Counter > w.pendingOf { // fresh: stay, and show it
		m.send(w.pending.Primary(), &wire.AliveAnswer{Beat: b.Bytes()})
		m.event(Disbelieved, w.pending)
		w.pending = nil
	}
}

// noteJitter follows how much the time between two beats varies.
func (m *Machine) noteJitter(now time.Time, b *wire.Beat) {
	w := &m.watch
	if w.beat == nil || b.Counter != w.beat.Counter+1 || !m.named() {
		return
	}
	sent := time.Duration(b.Time-w.beat.Time) * time.Millisecond
	off := (now.Sub(w.heardBeat) - sent).Abs()
	if off < m.beat { // a gap says nothing
		w.jitter += (off - w.jitter) / 8
	}
}

// stranger answers one that follows another term with the record this node
// follows.
func (m *Machine) stranger(now time.Time, from protocols.Key) {
	m.send(from, m.evidence(now, m.d.Current, nil, nil))
}

// OnAlive answers a question: with a beat, or by asking the primary first.
func (m *Machine) OnAlive(now time.Time, from protocols.Key, f *wire.Alive) {
	m.checkLate(now)
	defer m.schedule(now)
	if f.Opened != m.d.Current.Term().Opened {
		if back := m.d.Withdrawn[f.Opened]; back != nil {
			m.retreat(from, back)
			return
		}
		m.stranger(now, from)
		return
	}
	if m.Leads() {
		m.peer(from).heard = now
		m.beatTo(now, from)
		c := m.d.Current.Frame()
		m.send(from, &c)
		return
	}
	if !m.hears(from) || len(m.watch.askers) >= maxAskers {
		return
	}
	m.watch.askers = append(m.watch.askers, asker{peer: from, n: f.N, newest: f.Newest, at: now})
	m.startAsking(now)
}

// OnAliveAnswer takes a beat that a witness passes on, or that a member shows to
// a claimant.
func (m *Machine) OnAliveAnswer(now time.Time, b *wire.Beat) {
	m.checkLate(now)
	defer m.schedule(now)
	if b.Group != m.cfg.Group {
		return
	}
	if m.Leads() {
		m.shown(now, b)
		return
	}
	if b.Term != m.d.Current.Term() || b.Node != m.d.Current.Primary() || b.Counter <= m.newest() || m.isCondemned(now, b.Node) {
		return
	}
	yes, heard := m.watch.yes+1, m.watch.heard
	wasAsking := !m.watch.witness.IsZero()
	m.primaryBeat(now, b)
	m.watch.heard = heard
	if !wasAsking { // another witness's answer to the same question
		m.watch.yes = yes - 1
		return
	}
	if m.watch.yes = yes; yes >= 3 && m.named() { // this node is the one cut off
		m.watch.yes = 0
		own := wire.Beat{Group: m.cfg.Group, Term: b.Term, Version: m.d.Current.Record.Version, Counter: b.Counter, Time: millis(now)}
		m.send(b.Node, &wire.Replace{Beat: own.Sign(m.cfg.Signer)})
	}
}

// OnReport notes another member's word that the primary is silent.
func (m *Machine) OnReport(now time.Time, from protocols.Key, r *wire.Report) {
	m.checkLate(now)
	defer m.schedule(now)
	if r.Reporter != from || r.Group != m.cfg.Group || !m.member(from) {
		return
	}
	if r.Opened != m.d.Current.Term().Opened {
		m.stranger(now, from)
		return
	}
	if m.Leads() {
		m.beatTo(now, from)
		return
	}
	if from != m.d.Current.Primary() && r.Last <= m.newest()+1 {
		p := m.peer(from)
		p.reported, p.report = now, r.Bytes()
		m.startAsking(now) // look ourselves
	}
}

func millis(t time.Time) wire.Millis { return wire.Millis(t.UnixMilli()) }
