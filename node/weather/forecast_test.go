package weather

import (
	"strings"
	"testing"
	"time"
)

func TestForecastIsReadStrictly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Forecast{
		"loss=5%":                               {Loss: 0.05},
		"loss=5%,delay=200ms,kill-stream=1/min": {Loss: 0.05, Delay: 200 * time.Millisecond, Kills: 1.0 / 60},
		"delay=1.5s,loss=0.5%":                  {Loss: 0.005, Delay: 1500 * time.Millisecond},
		"kill-stream=30/h,loss=100%":            {Loss: 1, Kills: 30.0 / 3600},
		"kill-stream=2.5/s":                     {Kills: 2.5},
		"loss=0%,delay=10s":                     {Delay: MaxDelay},
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
			continue
		}
		if again, err := Parse(got.String()); err != nil || !near(again, want) {
			t.Errorf("%s is written %s, which reads %+v, %v", text, got, again, err)
		}
	}
}

// near allows for the digits that String leaves out.
func near(a, b Forecast) bool {
	close := func(x, y float64) bool { return x-y < 1e-6 && y-x < 1e-6 }
	return a.Delay == b.Delay && close(a.Loss, b.Loss) && close(a.Kills, b.Kills)
}

func TestBadForecastSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"":                        Example,
		"rain":                    Example,
		"rain=1":                  "loss, delay and kill-stream",
		"loss=5":                  "loss=5%",
		"loss=%":                  "loss=5%",
		"loss=101%":               "between 0% and 100%",
		"loss=-1%":                "between 0% and 100%",
		"loss=NaN%":               "between 0% and 100%",
		"loss=Inf%":               "between 0% and 100%",
		"loss=1e1%":               "between 0% and 100%",
		"loss=1.2.3%":             "between 0% and 100%",
		"loss=5%,loss=6%":         "twice",
		"loss=5%,":                Example,
		"loss=5%, delay=1s":       "no part of the weather",
		"delay=200":               "delay=200ms",
		"delay=-1s":               "at most 10s",
		"delay=11s":               "at most 10s",
		"kill-stream=1":           "kill-stream=1/min",
		"kill-stream=1/day":       "kill-stream=1/min",
		"kill-stream=1/minute":    "kill-stream=1/min",
		"kill-stream=-1/min":      "kill-stream=1/min",
		"kill-stream=101/s":       "at most 100/s",
		"kill-stream=1/min/s":     "kill-stream=1/min",
		"loss=0%,kill-stream=0/s": "changes nothing",
	} {
		f, err := Parse(text)
		if err == nil {
			t.Errorf("%q is read as %+v", text, f)
		} else if !strings.Contains(err.Error(), says) || f != (Forecast{}) {
			t.Errorf("%q: %+v, %v; it should say %q", text, f, err, says)
		}
	}
}

func TestForecastIsWrittenShort(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]Forecast{
		"":                          {},
		"loss=5%":                   {Loss: 0.05},
		Example:                     {Loss: 0.05, Delay: 200 * time.Millisecond, Kills: 1.0 / 60},
		"loss=0.5%,kill-stream=2/h": {Loss: 0.005, Kills: 2.0 / 3600},
		"kill-stream=3/s":           {Kills: 3},
	} {
		if got := f.String(); got != want {
			t.Errorf("%+v is written %q, want %q", f, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Example)
	f.Add("loss=1e309%,delay=1h")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text)
		if err == nil && (got.Loss < 0 || got.Loss > 1 || got.Delay < 0 || got.Delay > MaxDelay || !(got.Kills >= 0 && got.Kills <= MaxKills)) {
			t.Errorf("%q is read as %+v", text, got)
		}
	})
}
