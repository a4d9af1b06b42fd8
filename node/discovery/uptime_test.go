package discovery

import (
	"path/filepath"
	"testing"
	"time"
)

func TestUptimeIsWhatWasSeen(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type sign struct {
		after     time.Duration // the sign before
		connected bool
		times     int
	}
	for name, c := range map[string]struct {
		signs []sign
		least time.Duration
		most  time.Duration
	}{
		"seen once":                    {[]sign{{time.Minute, true, 1}}, 0, time.Minute},
		"an hour of connection":        {[]sign{{5 * time.Minute, true, 12}}, 55 * time.Minute, time.Hour},
		"a month of connection":        {[]sign{{5 * time.Minute, true, 30 * 24 * 12}}, 100 * time.Hour, 105 * time.Hour},
		"absences do not count":        {[]sign{{5 * time.Minute, true, 12}, {20 * time.Hour, true, 1}, {5 * time.Minute, true, 12}}, 100 * time.Minute, 2 * time.Hour},
		"a word counts a little":       {[]sign{{10 * time.Minute, false, 12}}, 110 * time.Minute, 2 * time.Hour},
		"and no more however often":    {[]sign{{time.Minute, false, 20_000}}, 5 * time.Hour, maxAnnounced},
		"a word now and then does not": {[]sign{{time.Hour, false, 100}}, 0, 0},
		"the past does not count":      {[]sign{{5 * time.Minute, true, 12}, {-24 * time.Hour, true, 1}}, 55 * time.Minute, time.Hour},
		"half in three days":           {[]sign{{5 * time.Minute, true, 12}, {uptimeHalfLife, false, 1}}, 25 * time.Minute, 31 * time.Minute},
	} {
		c2, err := OpenCache("")
		if err != nil {
			t.Fatal(err)
		}
		bob, now := somebody(t, "/ip4/127.0.0.1/tcp/2000"), start
		c2.Met(bob, now, false)
		for _, s := range c.signs {
			for range s.times {
				now = now.Add(s.after)
				c2.Saw(bob.ID, now, s.connected)
			}
		}
		if up := c2.Uptime(bob.ID, now); up < c.least || up > c.most {
			t.Errorf("%s: %v, want %v to %v", name, up, c.least, c.most)
		}
	}
}

func TestUptimeSurvivesARestartAndAMeeting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "peers.json")
	c, err := OpenCache(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	bob, stranger := somebody(t, "/ip4/127.0.0.1/tcp/2000"), somebody(t)
	c.Met(bob, now.Add(-2*time.Hour), false)
	for at := now.Add(-2 * time.Hour); !at.After(now); at = at.Add(5 * time.Minute) {
		c.Saw(bob.ID, at, true)
		c.Saw(stranger.ID, at, true) // nobody knows it
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if c, err = OpenCache(path); err != nil {
		t.Fatal(err)
	}
	c.Met(bob, now.Add(time.Minute), true)
	if up := c.Uptime(bob.ID, now.Add(time.Minute)); up < 115*time.Minute || up > 2*time.Hour+time.Minute {
		t.Errorf("up %v", up)
	}
	if up := c.Uptime(stranger.ID, now); up != 0 || len(c.peers(true)) != 1 {
		t.Errorf("a stranger is up %v", up)
	}
	// What a damaged file says is held to what could be.
	wild := uptime{Connected: 1000 * time.Hour, Announced: -1, Last: now.Add(time.Hour)}.sound(now)
	if wild.Connected > 2*uptimeHalfLife || wild.Announced != 0 || wild.Last.After(now) {
		t.Errorf("%+v", wild)
	}
}
