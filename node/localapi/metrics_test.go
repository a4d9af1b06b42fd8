package localapi

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

func TestMetricsAreThoseOfTheProcess(t *testing.T) {
	t.Parallel()
	const text = "tom_received_total 3\n"
	dir := tempDir(t)
	serve(t, Config{Backend: newMemory(), DataDir: dir, Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text)
	})})
	got, err := client(t, dir, "").Metrics(t.Context())
	if err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
}

func TestMetricsWithoutAnyAreRefused(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	serve(t, Config{Backend: newMemory(), DataDir: dir})
	_, err := client(t, dir, "").Metrics(t.Context())
	wantCode(t, err, CodeRefused)
}

func TestMetricsWithoutEndAreNotRead(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	serve(t, Config{Backend: newMemory(), DataDir: dir, Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), maxMetrics+1))
	})})
	if text, err := client(t, dir, "").Metrics(t.Context()); err == nil {
		t.Errorf("it read %d bytes", len(text))
	}
}
