package main

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/stet-dev/stet/internal/term"
)

// bar returns a progress bar on the terminal; without a terminal it shows nothing. Call
// done before anything else is printed.
func (a *app) bar(total int64, what string, options ...progressbar.Option) *bar {
	if !a.errs.TTY {
		return &bar{}
	}
	o := []progressbar.Option{
		progressbar.OptionSetWriter(a.errs.Writer),
		progressbar.OptionSetDescription(a.errs.Paint(term.Dim, what)),
		progressbar.OptionThrottle(100 * time.Millisecond), // more often is of no use to the eye
		progressbar.OptionSetWidth(24),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(total > 0),
		progressbar.OptionUseANSICodes(true),
	}
	return &bar{a: a, p: progressbar.NewOptions64(total, append(o, options...)...)}
}

type bar struct {
	a *app
	p *progressbar.ProgressBar
}

// set shows the progress.
func (b *bar) set(n int64) {
	if b.p != nil {
		b.p.Set64(n)
		b.a.errs.Flush()
	}
}

// done removes the bar from the terminal.
func (b *bar) done() {
	if b.p != nil {
		b.p.Exit()
		b.p.Clear()
		b.a.errs.Flush()
	}
}
