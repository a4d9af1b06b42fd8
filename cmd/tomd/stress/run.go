package stress

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
	"github.com/tom-protocol/tom/cmd/tomd/stress/report"
	"github.com/tom-protocol/tom/cmd/tomd/stress/verdict"
)

// FailedError says which phases have not passed.
type FailedError struct{ Phases []string }

// Error names them.
func (e *FailedError) Error() string {
	return "failed: " + strings.Join(e.Phases, ", ")
}

// Campaign plays all phases.
const Campaign = "campaign"

// Run plays a phase, or all of them for [Campaign]. It returns a *FailedError if
// one has not passed; what was found out by then is written in any case.
func Run(ctx context.Context, cfg Config, name string) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	chosen, err := choose(name, cfg.To != "")
	if err != nil {
		return err
	}
	began := time.Now()
	out := &output{out: cfg.Out, err: cfg.Err}
	whole := 0.0
	for _, p := range chosen {
		whole += p.weight
	}
	var played []report.Phase
	for _, p := range chosen {
		if ctx.Err() != nil {
			break
		}
		played = append(played, playPhase(ctx, cfg, p, time.Duration(float64(cfg.Duration)*p.weight/whole), out))
	}
	took := time.Since(began)
	pass := out.end(played, cfg.Seed, took)
	if err := cfg.write(&report.Run{Pass: pass, Began: began, Took: took, Machine: machine(), Seed: cfg.Seed, Phases: played}); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !pass {
		return failedOf(played)
	}
	return nil
}

func machine() string {
	return fmt.Sprintf("%s/%s with %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// write writes the report, if one is wanted.
func (c *Config) write(r *report.Run) error {
	if c.Report == "" {
		return nil
	}
	f, err := os.Create(c.Report)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := errors.Join(r.Write(f), f.Close()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func failedOf(played []report.Phase) error {
	e := new(FailedError)
	for _, r := range played {
		if !r.Pass && r.NotRun == "" {
			e.Phases = append(e.Phases, r.Phase)
		}
	}
	return e
}

// choose gives the phases to be played.
func choose(name string, elsewhere bool) (chosen []phase, err error) {
	if name == Campaign {
		return phases, nil
	}
	p, ok := phaseOf(name)
	if !ok {
		return nil, fmt.Errorf("there is no phase %q", name)
	}
	if elsewhere && !p.elsewhere {
		return nil, fmt.Errorf("%s ends and begins processes, and so can only be played with daemons of its own", name)
	}
	return []phase{p}, nil
}

// every is how often daemons are asked for their metrics.
const every = time.Second

// playPhase plays one phase with daemons of its own, or with the one elsewhere.
func playPhase(ctx context.Context, cfg Config, p phase, budget time.Duration, out *output) report.Phase {
	s := newStage(ctx, cfg, p, budget, out)
	defer s.unfollow()
	played := report.Phase{Result: s.result}
	if cfg.To != "" && !p.elsewhere {
		s.result.NotRun = "it ends and begins processes"
		out.ended(played)
		return played
	}
	out.begins(p, budget)
	err := s.prepare()
	if err == nil {
		err = p.play(s, ctx)
	}
	if err != nil {
		s.tally() // what is known by now
		s.result.Want(verdict.Fine("the phase can be played", err))
	}
	s.close(context.WithoutCancel(ctx))
	s.result.Took = time.Since(s.begin)
	for _, m := range s.members() {
		played.Daemons = append(played.Daemons, m.Usage())
	}
	s.result.Judge()
	out.ended(played)
	return played
}

// prepare makes what the phase plays with.
func (s *stage) prepare() (err error) {
	if s.cfg.To != "" {
		return nil
	}
	s.fleet, err = fleet.New(s.cfg.Executable, every, s.cfg.DaemonArgs...)
	return err
}
