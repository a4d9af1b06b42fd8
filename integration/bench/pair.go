package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// pair is the two processes of a race, connected.
type pair struct {
	system             string
	receiving, sending *process
	dirs               [2]string
}

// openPair starts both sides on fresh data directories. The sender dials what
// through makes of the receiver's address.
func openPair(system, dir string, through func(address string) (string, error)) (*pair, error) {
	base, err := os.MkdirTemp(dir, system+"-")
	if err != nil {
		return nil, err
	}
	p := &pair{system: system, dirs: [2]string{filepath.Join(base, "receiver"), filepath.Join(base, "sender")}}
	if err := p.open(through); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *pair) open(through func(string) (string, error)) (err error) {
	if p.receiving, err = startSide("receiver"); err != nil {
		return err
	}
	there, err := p.receiving.call(order{Do: "open", System: p.system, Dir: p.dirs[0]})
	if err != nil {
		return err
	}
	address := there.Address
	if through != nil {
		if address, err = through(address); err != nil {
			return err
		}
	}
	if p.sending, err = startSide("sender"); err != nil {
		return err
	}
	_, err = p.sending.call(order{Do: "open", System: p.system, Dir: p.dirs[1], Address: address})
	return err
}

// close ends both sides and removes what they wrote.
func (p *pair) close() error {
	var errs []error
	for _, side := range []*process{p.sending, p.receiving} {
		if side != nil {
			if err := side.stop(); err != nil {
				errs = append(errs, fmt.Errorf("end of %s: %w", p.system, err))
			}
		}
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Dir(p.dirs[0])))...)
}

// usage is what both sides have used so far.
func (p *pair) usage() (sum usage, err error) {
	for _, side := range []*process{p.sending, p.receiving} {
		a, err := side.call(order{Do: "usage"})
		if err != nil {
			return sum, err
		}
		sum = sum.plus(a.Usage)
	}
	return sum, nil
}

// both gives both sides the same order, but for the file.
func (p *pair) both(do string, files [2]string) error {
	for i, side := range []*process{p.receiving, p.sending} {
		if _, err := side.call(order{Do: do, File: files[i]}); err != nil {
			return err
		}
	}
	return nil
}
