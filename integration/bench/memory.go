package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"time"
)

// weight is the resident memory of a daemon, in MB, and what it does meanwhile.
type weight struct {
	IdleMB    float64 `json:"idle_mb"`
	LoadMB    float64 `json:"load_mb"` // the most, while it takes messages in as fast as they come
	AfterMB   float64 `json:"after_mb"`
	PerSecond float64 `json:"per_second"` // of these messages
}

// memory weighs the daemon as it is started usually, and with --low-memory.
func (b *bench) memory() error {
	if runtime.GOOS == "windows" { // which has no ps
		return nil
	}
	binary := filepath.Join(b.dir, "tomd")
	if err := buildDaemon(binary); err != nil {
		return fmt.Errorf("build tomd: %w", err)
	}
	for name, args := range map[string][]string{"usual": nil, "low-memory": {"--low-memory"}} {
		d := &daemon{binary: binary, dir: filepath.Join(b.dir, name), args: args}
		w, err := d.weighAtWork(b.n)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.report.Memory[name] = w
	}
	return nil
}

// weighAtWork weighs a daemon before, while and after n messages come in.
func (d *daemon) weighAtWork(n int) (w weight, err error) {
	if _, err := d.start(); err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	time.Sleep(settling)
	if w.IdleMB, err = d.megabytes(); err != nil {
		return w, err
	}
	address, err := d.address()
	if err != nil {
		return w, err
	}
	sending, err := startSide("sender")
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, sending.stop()) }()
	if _, err := sending.call(order{Do: "open", System: "tom", Dir: d.dir + "-sender", Address: address, Network: d.network()}); err != nil {
		return w, err
	}
	if err := d.weighDuring(&w, n, sending); err != nil {
		return w, err
	}
	time.Sleep(settling)
	w.AfterMB, err = d.megabytes()
	return w, err
}

// weighDuring notes the most that is seen while the messages come in.
func (d *daemon) weighDuring(w *weight, n int, sending *process) error {
	var sent answer
	done := make(chan error, 1)
	go func() (err error) {
		defer func() { done <- err }()
		sent, err = sending.call(order{Do: "burst", System: "tom", N: n, Window: window})
		return err
	}()
	for {
		now, err := d.megabytes()
		w.LoadMB = max(w.LoadMB, now)
		select {
		case failed := <-done:
			w.PerSecond = float64(n) / sent.Took.Seconds()
			return errors.Join(failed, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *daemon) megabytes() (float64, error) {
	bytes, err := d.resident()
	return bytes / 1e6, err
}

func (r report) printMemory(w io.Writer) {
	if len(r.Memory) == 0 {
		return
	}
	fmt.Fprintln(w, "\nresident memory of tomd, MB\tidle\tmost under load\tafterwards\tmessages/s taken in")
	for _, name := range []string{"usual", "low-memory"} {
		m := r.Memory[name]
		fmt.Fprintf(w, "  %s\t%.1f\t%.1f\t%.1f\t%.0f\n", name, m.IdleMB, m.LoadMB, m.AfterMB, m.PerSecond)
	}
}
