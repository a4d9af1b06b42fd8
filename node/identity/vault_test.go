package identity

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tom-protocol/tom/protocols"
	"github.com/tom-protocol/tom/protocols/envelope"
	"github.com/tom-protocol/tom/protocols/prekeys"
)

var noon = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

// device is a data directory with a time of its own.
type device struct {
	t    testing.TB
	dir  string
	now  atomic.Pointer[time.Time]
	me   *Identity
	v    *Vault
	path string
}

func newDevice(t testing.TB) *device {
	d := &device{t: t, dir: t.TempDir()}
	d.set(noon)
	d.start()
	return d
}

func (d *device) set(t time.Time)       { d.now.Store(&t) }
func (d *device) time() time.Time       { return *d.now.Load() }
func (d *device) pass(by time.Duration) { d.set(d.time().Add(by)) }

// start opens the vault as a process does that begins now.
func (d *device) start() {
	d.t.Helper()
	d.me, d.path = open(d.t, d.dir), filepath.Join(d.dir, VaultFile)
	v, err := OpenVault(d.path, d.me, d.time)
	if err != nil {
		d.t.Fatal(err)
	}
	d.v = v
	d.t.Cleanup(func() { v.Close() })
}

// keepUp does what a running node does from time to time.
func (d *device) keepUp() {
	d.t.Helper()
	if _, _, err := d.v.Rotate(d.time()); err != nil {
		d.t.Fatal(err)
	}
	if err := d.v.Expire(d.time()); err != nil {
		d.t.Fatal(err)
	}
}

// copied returns a device of another who copied the whole data directory, and
// does not care what the time is: it lies to the code.
func (d *device) copied(lie time.Time) *device {
	d.t.Helper()
	c := &device{t: d.t, dir: d.t.TempDir()}
	if err := os.CopyFS(c.dir, os.DirFS(d.dir)); err != nil {
		d.t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		for _, name := range list(d.t, c.dir) {
			if err := os.Chmod(filepath.Join(c.dir, name), 0o600); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	c.set(lie)
	c.start()
	return c
}

func (d *device) record() *prekeys.Record {
	d.t.Helper()
	b, err := d.v.Record(d.me.Signer(protocols.Main))
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := prekeys.Parse(protocols.Main, b, d.time())
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// receive returns an envelope somebody sealed to the device's prekey of now.
func (d *device) receive(plaintext []byte) *envelope.Envelope {
	d.t.Helper()
	to, ok := d.record().Choose(d.time())
	if !ok {
		d.t.Fatal("no prekey for now")
	}
	return sealed(d.t, to, d.time(), plaintext)
}

func sealed(t testing.TB, to envelope.Recipient, now time.Time, plaintext []byte) *envelope.Envelope {
	t.Helper()
	from := open(t, t.TempDir())
	sealer := envelope.NewSealer(from.Public(), func() time.Time { return now })
	e, err := sealer.Seal(to, envelope.NewID(now), now, envelope.MaxLifetime, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	envelope.Sign(from.Signer(protocols.Main), []*envelope.Envelope{e})
	e, err = envelope.Parse(e.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (d *device) open(e *envelope.Envelope) ([]byte, error) {
	return envelope.NewOpener(d.me.Public(), d.v, d.time).Open(e)
}

func (d *device) shred(end time.Time, b []byte) []byte {
	d.t.Helper()
	s, err := d.v.Shred(end, b)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func TestCopiedDirectoryOpensNothingThatHasEnded(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"running": false, "off meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDevice(t)
			text, end := []byte(strings.Repeat("secret ", 40)), d.time().Add(24*time.Hour)
			e, body := d.receive(text), d.shred(end, text)
			for _, who := range []*device{d, d.copied(noon)} {
				if got, err := who.open(e); err != nil || !bytes.Equal(got, text) {
					t.Fatalf("before the end: %q, %v", got, err)
				}
				if got, err := who.v.Unshred(end, body); err != nil || !bytes.Equal(got, text) {
					t.Fatalf("before the end: %q, %v", got, err)
				}
			}

			d.set(prekeys.DeathOf(prekeys.DayOf(noon)))
			if restart {
				d.start()
			} else {
				d.keepUp()
			}
			for who, c := range map[string]*device{"owner": d, "thief": d.copied(noon)} {
				if got, err := c.open(e); !errors.Is(err, ErrNoPrekey) {
					t.Errorf("%s opened the envelope: %q, %v", who, got, err)
				}
				if got, err := c.v.Unshred(end, body); !errors.Is(err, ErrShredded) {
					t.Errorf("%s read the body: %q, %v", who, got, err)
				}
			}
		})
	}
}

func TestRotationKeepsEightDaysAhead(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	first := d.record()
	if len(first.Keys) != prekeyDays {
		t.Fatalf("%d keys", len(first.Keys))
	}
	if _, changed, err := d.v.Rotate(d.time()); changed || err != nil {
		t.Errorf("rotated again at once: %v, %v", changed, err)
	}
	d.pass(24 * time.Hour)
	destroyed, changed, err := d.v.Rotate(d.time())
	if err != nil || !changed || len(destroyed) != 0 {
		t.Fatalf("a day later: %v, %v, %v", destroyed, changed, err)
	}
	second := d.record()
	if !second.Newer(first) || second.Keys[0] != first.Keys[1] || len(second.Keys) != prekeyDays {
		t.Error("the second record does not go on where the first was")
	}
	d.set(prekeys.DeathOf(prekeys.DayOf(noon)))
	destroyed, _, err = d.v.Rotate(d.time())
	if err != nil || len(destroyed) != 1 || destroyed[0] != prekeys.ID(first.Keys[0].Public) {
		t.Errorf("at its death: %v, %v", destroyed, err)
	}
}

func TestPrekeyLivesUntilItsDeathAndNoLonger(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	e := d.receive([]byte("late"))
	death := prekeys.DeathOf(prekeys.DayOf(noon))
	d.set(death.Add(-time.Millisecond))
	d.keepUp()
	if _, err := d.open(e); err != nil {
		t.Errorf("a millisecond before: %v", err)
	}
	d.set(death)
	d.keepUp()
	if _, err := d.open(e); err == nil {
		t.Error("opened at its death")
	}
}

func TestRecordGrowsOverRestartsAndStepsBack(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	first := d.record()
	d.start()
	if again := d.record(); !bytes.Equal(again.Bytes(), first.Bytes()) {
		t.Error("another record after a restart, though nothing changed")
	}
	if err := os.Remove(d.path); err != nil { // and with it the floor
		t.Fatal(err)
	}
	d.pass(time.Second)
	d.start()
	if !d.record().Newer(first) {
		t.Error("the record after a loss is not newer")
	}
}

func TestIdentityKeyAgreesForTheZeroID(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	to, err := envelope.IdentityRecipient(d.me.Public())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.open(sealed(t, to, d.time(), []byte("fallback"))); err != nil || string(got) != "fallback" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, _, err := d.v.Agree(envelope.PrekeyID{}, [32]byte{}); err == nil {
		t.Error("agreed with a point of small order")
	}
	if _, _, err := d.v.Agree(envelope.PrekeyID{1}, [32]byte{9}); !errors.Is(err, ErrNoPrekey) {
		t.Errorf("unknown prekey: %v", err)
	}
}

func TestFloorOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	d.pass(time.Hour)
	if err := d.v.TouchTime(d.time()); err != nil {
		t.Fatal(err)
	}
	written := modTime(t, d.path)
	d.pass(floorStep - time.Millisecond)
	if err := d.v.TouchTime(d.time()); err != nil || modTime(t, d.path) != written {
		t.Errorf("rewritten for less than a step (%v)", err)
	}
	d.set(noon.Add(-30 * 24 * time.Hour)) // the battery of the clock is empty
	d.start()
	if got, want := d.v.Floor(), noon.Add(time.Hour); !got.Equal(want) {
		t.Errorf("floor %v, want %v", got, want)
	}
	if day := d.recordAtFloor().Keys[0].Day; day != prekeys.DayOf(noon) {
		t.Errorf("prekeys from day %d on although the floor is in day %d", day, prekeys.DayOf(noon))
	}
}

// recordAtFloor reads the record at the floor instead of the device's wrong time.
func (d *device) recordAtFloor() *prekeys.Record {
	d.t.Helper()
	d.set(d.v.Floor())
	return d.record()
}

func modTime(t testing.TB, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func TestVaultIsPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no such modes here")
	}
	d := newDevice(t)
	d.shred(d.time().Add(time.Hour), []byte("x"))
	info, err := os.Stat(d.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(d.path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenVault(d.path, d.me, d.time); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("opened what others can read: %v", err)
	}
}

func TestBadVaultsAreRefusedAndKept(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	good, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Clone(good)
	newer[len(vaultMagic)]++
	for name, c := range map[string]struct {
		bytes []byte
		want  string
	}{
		"empty":     {nil, "damaged"},
		"truncated": {good[:len(good)-1], "damaged"},
		"bit":       {flipped(good, len(good)/2), "damaged"},
		"newer":     {newer, "newer version"},
		"huge":      {make([]byte, maxVault+1), "too large"},
	} {
		path := filepath.Join(t.TempDir(), VaultFile)
		if err := os.WriteFile(path, c.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenVault(path, d.me, d.time)
		var fe *FileError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if b, _ := os.ReadFile(path); !bytes.Equal(b, c.bytes) {
			t.Errorf("%s: the file was touched", name)
		}
	}
}

func TestFailedRewriteChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	e := d.receive([]byte("still"))
	if err := os.Mkdir(beside(d.path), 0o700); err != nil { // nothing can be written there
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(beside(d.path), "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d.set(prekeys.DeathOf(prekeys.DayOf(noon)))
	var fe *FileError
	if _, _, err := d.v.Rotate(d.time()); !errors.As(err, &fe) {
		t.Fatalf("got %v", err)
	}
	if _, err := d.v.Shred(d.time().Add(time.Hour), nil); !errors.As(err, &fe) {
		t.Errorf("sealed under a key that is not on disk: %v", err)
	}
	if _, err := d.open(e); err != nil {
		t.Errorf("memory and disk differ: %v", err)
	}
	if err := os.RemoveAll(beside(d.path)); err != nil {
		t.Fatal(err)
	}
	if destroyed, _, err := d.v.Rotate(d.time()); err != nil || len(destroyed) != 1 {
		t.Errorf("the next try: %v, %v", destroyed, err)
	}
}

func TestClosedVaultAnswersErrClosed(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	end := d.time().Add(time.Hour)
	b := d.shred(end, []byte("x"))
	if err := d.v.Close(); err != nil {
		t.Fatal(err)
	}
	_, shred := d.v.Shred(end, nil)
	_, unshred := d.v.Unshred(end, b)
	_, _, rotate := d.v.Rotate(d.time())
	_, record := d.v.Record(d.me.Signer(protocols.Main))
	_, _, agree := d.v.Agree(envelope.PrekeyID{}, [32]byte{9})
	for i, err := range []error{shred, unshred, rotate, record, agree, d.v.Expire(d.time()), d.v.TouchTime(d.time().Add(time.Hour))} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestMemoryVaultTouchesNoFile(t *testing.T) {
	t.Parallel()
	me := open(t, t.TempDir())
	v, err := OpenVault("", me, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	b, err := v.Shred(noon.Add(time.Hour), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Unshred(noon.Add(time.Hour), b); err != nil || string(got) != "x" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := os.Stat(beside("")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was written")
	}
}
