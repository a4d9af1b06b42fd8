package chat

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/tom-protocol/tom/node/localapi"
)

// program puts a state under Bubble Tea.
type program struct {
	ctx    context.Context
	client *localapi.Client
	state  *state
}

// Init begins to let time pass.
func (p program) Init() tea.Cmd { return passing }

// passing tells the time once a second.
func passing() tea.Msg { return tick{time.Now()} }

// Update takes one step, and has done what it wants done.
func (p program) Update(in tea.Msg) (tea.Model, tea.Cmd) {
	var cmds []tea.Cmd
	if _, ok := in.(tick); ok {
		cmds = append(cmds, tea.Tick(time.Second, func(now time.Time) tea.Msg { return tick{now} }))
	} else {
		p.state.now = time.Now()
	}
	for _, what := range p.state.step(in) {
		cmds = append(cmds, p.command(what)...)
	}
	return p, tea.Batch(cmds...)
}

func (p program) command(what any) (cmds []tea.Cmd) {
	switch what := what.(type) {
	case leave:
		return []tea.Cmd{tea.Quit}
	case copyText:
		return []tea.Cmd{tea.SetClipboard(what.text)}
	case askStanding:
		for _, id := range what.ids {
			cmds = append(cmds, func() tea.Msg {
				ctx, cancel := context.WithTimeout(p.ctx, answerTime)
				defer cancel()
				return stand(ctx, p.client, what.key, id)
			})
		}
		return cmds
	}
	return []tea.Cmd{func() tea.Msg { return perform(p.ctx, p.client, what) }}
}

// View is the screen.
func (p program) View() tea.View {
	rows, x, y := p.state.view()
	v := tea.NewView(strings.Join(rows, "\n"))
	v.AltScreen, v.ReportFocus = true, true
	v.WindowTitle = "tomd chat"
	if p.state.screen != linking { // there a person wants to select
		v.MouseMode = tea.MouseModeCellMotion
	}
	if x >= 0 {
		v.Cursor = tea.NewCursor(x, y)
	}
	return v
}
