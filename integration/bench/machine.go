package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// What the machine itself costs, in µs: it says how far figures and ratios can
// be compared with another's. Where a round trip is cheap so are plain frames,
// and all that is encrypted, signed and stored looks slow beside them.

// syncCost is the median time of a small write and its sync, in µs.
func syncCost(dir string) (float64, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	took := make([]time.Duration, 51)
	for i := range took {
		begin := time.Now()
		if _, err := f.Write(make([]byte, 512)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return micros(took[len(took)/2]), nil
}

// tripCost is the median round trip of a datagram on loopback, with nothing but
// sockets.
func tripCost() (float64, error) {
	echo, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer echo.Close()
	go func() {
		buf := make([]byte, bodySize)
		for {
			n, from, err := echo.ReadFromUDPAddrPort(buf)
			if err != nil {
				return // closed
			}
			echo.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	c, err := net.DialUDP("udp4", nil, echo.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	buf, took := make([]byte, bodySize), make([]time.Duration, 2001)
	for i := range took {
		begin := time.Now()
		if _, err := c.Write(buf); err != nil {
			return 0, err
		}
		if _, err := c.Read(buf); err != nil {
			return 0, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return micros(took[len(took)/2]), nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
