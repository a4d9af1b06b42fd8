package stress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tom-protocol/tom/cmd/tomd/stress/fleet"
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
	var results []*verdict.Result
	var usage []phaseUsage
	whole := 0.0
	for _, p := range chosen {
		whole += p.weight
	}
	for _, p := range chosen {
		if ctx.Err() != nil {
			break
		}
		r, used := playPhase(ctx, cfg, p, time.Duration(float64(cfg.Duration)*p.weight/whole), out)
		results, usage = append(results, r), append(usage, used)
	}
	pass := out.end(results, cfg.Seed, time.Since(began))
	_ = usage
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !pass {
		return failedOf(results)
	}
	return nil
}

func failedOf(results []*verdict.Result) error {
	e := new(FailedError)
	for _, r := range results {
		if !r.Pass {
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

// phaseUsage is what the daemons of a phase took.
type phaseUsage struct {
	phase string
	usage []fleet.Usage
}

// every is how often daemons are asked for their metrics.
const every = time.Second

// playPhase plays one phase with daemons of its own, or with the one elsewhere.
func playPhase(ctx context.Context, cfg Config, p phase, budget time.Duration, out *output) (*verdict.Result, phaseUsage) {
	s := newStage(ctx, cfg, p, budget, out)
	defer s.unfollow()
	used := phaseUsage{phase: p.name}
	if cfg.To != "" && !p.elsewhere {
		s.result.NotRun = "it ends and begins processes"
		out.ended(s.result, nil)
		return s.result, used
	}
	out.begins(p, budget)
	err := s.prepare()
	if err == nil {
		err = p.play(s, ctx)
	}
	if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
		s.result.Want(verdict.Fine("the phase can be played", err))
	}
	s.close(context.WithoutCancel(ctx))
	s.result.Took = time.Since(s.begin)
	if s.fleet != nil {
		for _, m := range s.fleet.Members() {
			used.usage = append(used.usage, m.Usage())
		}
	}
	s.result.Judge()
	out.ended(s.result, used.usage)
	return s.result, used
}

// prepare makes what the phase plays with.
func (s *stage) prepare() (err error) {
	if s.cfg.To != "" {
		return nil
	}
	s.fleet, err = fleet.New(s.cfg.Executable, every, s.cfg.DaemonArgs...)
	return err
}
