package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/pprof"
	"time"
)

// sideVariable makes this program one side of a race: it takes orders on its
// standard input and answers on its standard output, a JSON object a line.
const sideVariable = "TOM_BENCH_SIDE"

// order tells a side what to do.
type order struct {
	Do      string
	System  string `json:",omitempty"`
	Dir     string `json:",omitempty"`
	Address string `json:",omitempty"` // open: of the receiver, for the sender
	Network string `json:",omitempty"`
	N       int    `json:",omitempty"`
	Window  int    `json:",omitempty"`
	File    string `json:",omitempty"`
	Name    string `json:",omitempty"`
	Link    string `json:",omitempty"` // into the group
	Seq     uint64 `json:",omitempty"`
	Authors int    `json:",omitempty"`
}

// answer is what came of an order.
type answer struct {
	Err     string          `json:",omitempty"`
	Address string          `json:",omitempty"`
	Took    time.Duration   `json:",omitempty"` // nanoseconds
	Each    []time.Duration `json:",omitempty"`
	Usage   usage
	Link    string `json:",omitempty"`
	Came    int64  `json:",omitempty"` // deliveries
	Members int    `json:",omitempty"`
	Term    uint64 `json:",omitempty"`
	Seq     uint64 `json:",omitempty"`
}

// receiver takes messages in and acknowledges them.
type receiver interface {
	address() string
	close() error
}

// sender sends messages of bodySize bytes, made beforehand.
type sender interface {
	// burst sends n messages, at most window of them not yet acknowledged, and
	// returns the time from the first send to the last acknowledgement.
	burst(n, window int) (time.Duration, error)
	// singles sends n messages one at a time.
	singles(n int) ([]time.Duration, error)
	close() error
}

// system is something that carries messages between two processes.
type system struct {
	receive func(dir string) (receiver, error)
	send    func(dir, address string) (sender, error)
}

var systems = map[string]system{
	"plain":          {plainReceive, plainSend},
	"tom":            {tomReceive, tomSend},
	"jetstream":      {func(dir string) (receiver, error) { return natsReceive(dir, false) }, natsSend},
	"jetstream-sync": {func(dir string) (receiver, error) { return natsReceive(dir, true) }, natsSend},
}

// sideState is what the orders to a side work on.
type sideState struct {
	r       receiver
	s       sender
	crowd   io.Closer
	w       worker
	profile *os.File
}

// serveSide takes orders until the standard input ends, which it does when the
// parent is gone.
func serveSide(role string) error {
	st := new(sideState)
	orders, answers := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return st.close()
		} else if err != nil {
			return err
		}
		a, err := st.do(role, o)
		if err != nil {
			a.Err = fmt.Sprintf("%s, %s %s: %v", role, o.System, o.Do, err)
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

func (st *sideState) do(role string, o order) (a answer, err error) {
	switch o.Do {
	case "usage", "profile", "profiled":
	default:
		if workers[role] != nil {
			return st.work(role, o)
		}
	}
	switch o.Do {
	case "open":
		a.Address, err = st.open(role, o)
	case "burst":
		a.Took, err = st.s.burst(o.N, o.Window)
	case "singles":
		a.Each, err = st.s.singles(o.N)
	case "usage":
		a.Usage, err = readUsage()
	case "profile":
		if st.profile, err = os.Create(o.File); err == nil {
			err = pprof.StartCPUProfile(st.profile)
		}
	case "profiled":
		pprof.StopCPUProfile()
		err = st.profile.Close()
	default:
		err = errors.New("no such order")
	}
	return a, err
}

func (st *sideState) open(role string, o order) (address string, err error) {
	switch role {
	case "receiver":
		if st.r, err = systems[o.System].receive(o.Dir); err == nil {
			address = st.r.address()
		}
	case "sender":
		if o.Network != "" { // of a daemon; the sides of a race are on the default one, alone
			st.s, err = tomSendOn(o.Network, o.Dir, o.Address)
		} else {
			st.s, err = systems[o.System].send(o.Dir, o.Address)
		}
	case "crowd":
		st.crowd, err = gather(o.Dir, o.Address, o.Network, o.N)
	}
	return address, err
}

func (st *sideState) close() error {
	switch {
	case st.w != nil:
		return st.w.close()
	case st.crowd != nil:
		return st.crowd.Close()
	case st.r != nil:
		return st.r.close()
	case st.s != nil:
		return st.s.close()
	}
	return nil
}

// process is a side as its parent sees it.
type process struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *json.Decoder
}

// startSide runs this binary once more, as one side of a race.
func startSide(role string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self)}
	// All systems get the garbage collector's setting that tomd has when busy; but a
	// thousand members in one process hold 3 GB, and are not to take five times that.
	p.cmd.Env = append(os.Environ(), sideVariable+"="+role, "GOGC=400", "GOMEMLIMIT=8GiB")
	p.cmd.Stderr = os.Stderr
	if p.orders, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = json.NewDecoder(out)
	return p, p.cmd.Start()
}

// call gives an order and waits for what comes of it, but not for ever.
func (p *process) call(o order) (answer, error) { return p.callWithin(2*time.Minute, o) }

func (p *process) callWithin(most time.Duration, o order) (answer, error) {
	limit := time.AfterFunc(most, func() { p.cmd.Process.Kill() })
	defer limit.Stop()
	var a answer
	if err := json.NewEncoder(p.orders).Encode(o); err != nil {
		return a, err
	}
	if err := p.answers.Decode(&a); err != nil {
		return a, fmt.Errorf("%s %s: the process is gone: %w", o.System, o.Do, err)
	}
	if a.Err != "" {
		return a, errors.New(a.Err)
	}
	return a, nil
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	limit := time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() })
	defer limit.Stop()
	p.orders.Close()
	return p.cmd.Wait()
}
