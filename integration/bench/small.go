package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	// crowdSize is just under where the daemon's connection manager begins to
	// trim.
	crowdSize = 150
	// settling is how long a daemon is left alone before its memory is read.
	settling = 5 * time.Second
	// idling is how long the crowd has been silent when it is weighed: streams that
	// nobody uses close after a minute or a minute and a half.
	idling = 150 * time.Second
)

// small measures the daemon as it is handed out.
func (b *bench) small() error {
	binary := filepath.Join(b.dir, "tomd")
	if err := buildDaemon(binary); err != nil {
		return fmt.Errorf("build tomd: %w", err)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	f := &footprint{BinaryMB: float64(info.Size()) / 1e6, Platform: runtime.GOOS + "/" + runtime.GOARCH, Peers: crowdSize}
	d := &daemon{binary: binary, dir: filepath.Join(b.dir, "daemon")}
	if f.FirstStartMS, err = d.start(); err != nil { // makes the key and the database
		return err
	}
	if err := d.stop(); err != nil {
		return err
	}
	var starts []float64
	for range b.runs {
		took, err := d.start()
		if err != nil {
			return err
		}
		starts = append(starts, took)
		if err := d.stop(); err != nil {
			return err
		}
	}
	f.StartMS = median(starts)
	if runtime.GOOS != "windows" { // which has no ps
		if err := d.weigh(b.dir, f); err != nil {
			return err
		}
	}
	b.report.Small = f
	return nil
}

// weigh reads the memory of a running daemon, first alone and then with a
// crowd around it.
func (d *daemon) weigh(dir string, f *footprint) (err error) {
	if _, err := d.start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	time.Sleep(settling)
	alone, err := d.resident()
	if err != nil {
		return err
	}
	address, err := d.address()
	if err != nil {
		return err
	}
	crowd, err := startSide("crowd")
	if err != nil {
		return err
	}
	if _, err := crowd.call(order{Do: "open", Dir: filepath.Join(dir, "crowd"), Address: address, Network: d.network(), N: crowdSize}); err != nil {
		return errors.Join(err, crowd.stop())
	}
	time.Sleep(idling)
	crowded, err := d.resident()
	f.IdleMB, f.PeerKB = alone/1e6, (crowded-alone)/1e3/crowdSize
	return errors.Join(err, crowd.stop())
}

func buildDaemon(path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/tomd")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// daemon is a tomd on a data directory and network of its own, which finds
// nobody but is otherwise started as a user would.
type daemon struct {
	binary, dir string
	args        []string // of tomd start, besides those all have
	cmd         *exec.Cmd
	port        int
	output      bytes.Buffer
}

// network keeps the daemon apart from all others on this machine and LAN.
func (d *daemon) network() string { return "bench-" + strconv.Itoa(os.Getpid()) }

// start returns the ms from exec until the daemon's port answers.
func (d *daemon) start() (float64, error) {
	var err error
	if d.port, err = freePort(); err != nil {
		return 0, err
	}
	d.cmd = exec.Command(d.binary, "start", "--data", d.dir, "--network", d.network(), "--no-portmap",
		"--listen", fmt.Sprintf("/ip4/0.0.0.0/udp/%d/quic-v1", d.port), "--listen", fmt.Sprintf("/ip4/0.0.0.0/tcp/%d", d.port))
	d.cmd.Args = append(d.cmd.Args, d.args...)
	d.output.Reset()
	d.cmd.Stdout, d.cmd.Stderr = &d.output, &d.output
	begin := time.Now()
	if err := d.cmd.Start(); err != nil {
		return 0, err
	}
	for time.Since(begin) < 20*time.Second {
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", d.port))
		if err == nil {
			c.Close()
			return micros(time.Since(begin)) / 1000, nil
		}
		time.Sleep(time.Millisecond)
	}
	return 0, errors.Join(errors.New("the daemon does not listen: "+d.output.String()), d.stop())
}

// stop ends the daemon cleanly.
func (d *daemon) stop() error {
	if runtime.GOOS == "windows" {
		d.cmd.Process.Kill()
		d.cmd.Wait()
		return nil
	}
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	limit := time.AfterFunc(20*time.Second, func() { d.cmd.Process.Kill() })
	defer limit.Stop()
	if err := d.cmd.Wait(); err != nil {
		return fmt.Errorf("tomd: %w: %s", err, &d.output)
	}
	return nil
}

// resident is the daemon's memory in bytes.
func (d *daemon) resident() (float64, error) {
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(d.cmd.Process.Pid)).Output()
	if err != nil {
		return 0, fmt.Errorf("ps: %w", err)
	}
	kib, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return kib * 1024, err
}

func (d *daemon) address() (string, error) {
	out, err := exec.Command(d.binary, "id", "--json", "--data", d.dir).Output()
	if err != nil {
		return "", fmt.Errorf("tomd id: %w", err)
	}
	var id struct{ ID string }
	err = json.Unmarshal(out, &id)
	return fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1/p2p/%s", d.port, id.ID), err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
