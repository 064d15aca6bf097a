package peers

import (
	"cmp"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/stet-dev/stet/bench/report"
)

// hits compares a hit in the client's cache with a Get of the memory engine, which
// is measured as in memoryGets: the same ids, in the same order, of as many prompts.
// The server that the cache follows has nothing to do.
func hits() []measure {
	var rows []measure
	for _, selector := range []string{"latest", "production"} {
		for _, r := range []read{
			{selector, 1, 10, false},
			{selector, 2, 10, false},
			{selector, 1, 10, true},
		} {
			what := "of one prompt"
			if r.spread {
				what = fmt.Sprintf("over %s prompts", humanize.Comma(population))
			}
			rows = append(rows, measure{
				name: fmt.Sprintf("client.OpenCached, hit of %s, %s %s", selector, report.Count(r.workers, "goroutine"), what), peer: "memory Get",
				better: atMost, target: 2, noAllocs: true,
				stet: r.cached, against: r.stet,
			})
		}
	}
	return rows
}

// cached is the side that reads a cache. It has all the prompts, whichever are read.
func (r read) cached(e *env) (side, error) {
	c, err := e.start(serverSetup{Kind: stetServer})
	if err != nil {
		return nil, err
	}
	all, hot := r.ids()
	filler, err := openClient(e.ctx, c.address, 1)
	if err != nil {
		return nil, err
	}
	err = fill{ids: all, versions: 2, size: shortText}.into(e.ctx, filler)
	if err = cmp.Or(err, filler.close()); err != nil {
		return nil, err
	}
	s, err := openCache(e.ctx, c.address, refs(all, r.selector))
	if err != nil {
		return nil, err
	}
	e.onClose(s.close)
	return r.gets(e, s, hot), nil
}
