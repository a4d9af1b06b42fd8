package main

import "testing"

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"": 0, "1M": 1 << 20, "512m": 512 << 20, "2G": 2 << 30, "1T": 1 << 40, "1024KB": 1 << 20, "4194304": 4 << 20,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"M", "1X", "-1M", "1.5G", "1K", "9999999999T", "B", "0"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func TestSizesAreReadable(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 bytes", 1023: "1023 bytes", 1024: "1 KiB", 1536: "1.5 KiB", 128 << 20: "128 MiB", 1 << 30: "1 GiB", 5 << 50: "5120 TiB",
	} {
		if got := sizeText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
