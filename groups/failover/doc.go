// Package failover is one node's part in deciding who is hub: the beats, the
// doubt about a silent primary, the claims, and how two branches become one.
//
// The rules are those of a model that was searched by machine; the ones that
// look odd each close a hole that was found there:
//
//   - A claim moves members, never a primary. A primary steps down only for a
//     merge record that names its branch, with evidence that counts in its own
//     eyes, for a record that an admin signed, or one that it signed itself.
//   - A member asks its primary, repeatedly, before it follows a claim, and stays
//     as long as the primary answers. It shows the answer to the claimant.
//   - A claimant to which nobody attached withdraws; one that has followers meets
//     the other hub. The branch that more members follow stands.
//   - A primary that says it follows another record takes its members with it,
//     whatever the number.
//   - A witness's beat only moves the shadow's clock; three running, and the
//     shadow asks to be replaced.
//   - A term is named by the record that opened it, so that a number used twice
//     by one primary is no equivocation.
//
// Where these rules are not the model's, worlds of seats (integration/model) have
// shown why:
//
//   - A claim is followed only when the next beat was due for more than a second, and
//     for as long as it takes to send again what was lost. Otherwise a second's delay
//     on all links of a hub replaces it. No shadow claims before it would follow
//     itself: that gains nothing, and has to be taken back; the candidate waits until
//     any shadow would have.
//   - A hub that puts records in order sends shadow and candidate three times as many
//     beats, and is missed sooner. The records are no measure of when to miss it: when
//     its links are slow the members' records are late at the hub too, and it falls
//     silent without being gone.
//   - Of several witnesses that answer one question the first counts, and the others
//     do not begin the count anew.
//   - Who sends its primary what it has to answer, and hears nothing of it, asks it
//     after half an interval, and after another second reports it. With beats of
//     500 ms the shadow's second miss comes first; with beats of 3 s the reports
//     halve the time, and where hub, shadow and candidate die at once they do too,
//     for those who elect begin to ask at once.
//   - A hub that does not answer is merged without it only if another than itself
//     said that it follows it. A claimant that withdrew does not answer either.
//   - A hub that was merged without agreeing is met anew, and may be yielded to.
//   - Whose branch stands is counted with those kicked since, and with attaches to
//     this very branch only: two hubs must come to the same count.
//   - A branch is shown with the records by which its hub, and those who speak for it,
//     are in the group. To whoever was apart when they joined they were strangers:
//     it followed a hub that was gone, or two hubs merged each other for ever.
//   - A branch whose hub may not be one (it was kicked, or signed two logs) is
//     brought home by an admin's record, for by the count it might stand. A hub
//     that knows it of itself follows the next that may be one, whoever named it:
//     otherwise one that an admin had named stood alone for ever.
//   - Nobody is taken out because a hub's log is shorter than the one known: who
//     hears only those in an older roster could never be told the truth.
//   - The only member of a group, an admin by what its log says of the others, names
//     itself: nobody reports the hub with it, and whoever joined in another branch,
//     and is unknown to it, led that for ever.
//   - A primary doubts after two misses of its shadow, and accepts with one replica
//     only then.
//   - Relays that are no members lead, follow and are named, and are counted nowhere;
//     so of two branches a primary that is a member counts for its own.
//
// What the model had in beats to all each interval is here in beats to shadow and
// candidate; the others hear one in ten. They learn of a silent primary when a
// shadow asks them as witnesses, when a claim comes, or after twelve intervals by
// themselves, and ask it at once in each case.
//
// Machine is pure: input and time in, Effects and Deadline out. It holds nothing
// but what it is told was verified: the structures in groups/wire exist only so.
package failover
