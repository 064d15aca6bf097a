package scale

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/load"
	"github.com/stet-dev/stet/bench/report"
	"github.com/stet-dev/stet/core"
)

// Options say what is measured.
type Options struct {
	// Addresses are the stores that [load.Fill] has filled, the smallest first.
	Addresses []string
	// Open opens one of them.
	Open func(ctx context.Context, address string) (*stet.Store, error)
	// Lap is how long each figure's laps are; there are Rounds of them, and the
	// figure is their median.
	Lap    time.Duration
	Rounds int
	// Progress, if not nil, is called with what is being done.
	Progress func(what string)
}

// Measure measures stores one after another, and their saves in turn, so that what
// happens on the machine meanwhile happens to all of them. It saves into them.
func Measure(ctx context.Context, o Options) (*Report, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	r := newReport()
	for _, address := range o.Addresses {
		m := measurer{Options: o, report: r, ctx: ctx, address: address}
		if err := m.run(); err != nil {
			return r, err
		}
		r.Stores = append(r.Stores, m.f)
	}
	if err := saves(ctx, o, r); err != nil {
		return r, err
	}
	r.targets()
	return r, nil
}

// A measurer measures one store.
type measurer struct {
	Options
	report  *Report
	ctx     context.Context
	address string
	f       Figures
	store   *stet.Store
	rand    *rand.Rand

	ids    []string // of all prompts but the long one
	counts []int    // how many versions they have
}

func (m *measurer) run() error {
	m.rand = rand.New(rand.NewPCG(1, 2)) // the same reads in every run
	if err := m.file(); err != nil {
		return err
	}
	if err := m.opening(); err != nil {
		return err
	}
	err := m.inside()
	return errors.Join(err, m.store.Close())
}

func (m *measurer) tell(what string) { m.Progress(m.address + ": " + what) }

func (m *measurer) file() error {
	path, ok := fileOf(m.address)
	if !ok {
		m.report.leftOut("the size of the file: " + m.address + " has none")
		return nil
	}
	m.tell("the file")
	var err error
	if m.f.RawBytes, m.f.Tables, err = anatomy(m.ctx, path); err != nil {
		return err
	}
	m.f.add(Space, "raw text", report.Bytes, float64(m.f.RawBytes))
	size := fileSize(path)
	m.f.add(Space, "file", report.Bytes, float64(size))
	m.f.add(Space, FileRatio, report.Times, float64(size)/float64(max(m.f.RawBytes, 1)))
	return nil
}

// opening opens the store and has sqlite3 print, in turn, and leaves it open.
func (m *measurer) opening() error {
	path, hasFile := fileOf(m.address)
	var opened, printed []time.Duration
	for round := range max(m.Rounds, 1) + 1 { // the first brings the file into the system's cache
		m.tell("opening")
		if m.store != nil {
			if err := m.store.Close(); err != nil {
				return err
			}
			m.store = nil
		}
		if hasFile {
			took, err := printHeads(m.ctx, path)
			switch {
			case err == errNoPeer:
				m.report.leftOut(err.Error())
				hasFile = false
			case err != nil:
				return err
			case round > 0:
				printed = append(printed, took)
			}
		}
		before := load.LiveHeap()
		start := time.Now()
		s, err := m.Open(m.ctx, m.address)
		if err != nil {
			return err
		}
		took := time.Since(start)
		m.store = s
		if round > 0 {
			opened = append(opened, took)
			continue
		}
		heap := float64(load.LiveHeap()) - float64(before)
		if err := m.census(); err != nil {
			return err
		}
		m.f.add(Space, "heap, opened", report.Bytes, heap)
		m.f.add(Space, HeapOpen, report.Bytes, heap/float64(m.f.Versions))
		if v, ok := m.f.Get("file"); ok {
			m.f.add(Space, FileEach, report.Bytes, v/float64(m.f.Versions))
		}
	}
	m.f.add(Whole, Open, report.Seconds, report.Median(opened).Seconds())
	if len(printed) > 0 {
		m.f.add(Whole, Printing, report.Seconds, report.Median(printed).Seconds())
	}
	return nil
}

// census learns what there is.
func (m *measurer) census() error {
	if err := load.Guard(m.ctx, m.store); err != nil {
		return err
	}
	for h, err := range m.store.Prompts(m.ctx, stet.PromptsOptions{Limit: 1000}) {
		if err != nil {
			return err
		}
		m.f.Versions += h.Versions
		m.f.Prompts++
		if h.PromptID == load.LongID {
			m.f.Long = h.Versions
			continue
		}
		m.ids, m.counts = append(m.ids, h.PromptID), append(m.counts, h.Versions)
	}
	if len(m.ids) == 0 {
		return errors.New("the store has no prompts to measure: fill it first: go run . fill")
	}
	tail, err := m.store.Tail(m.ctx)
	m.f.Commits = tail.Revision
	return err
}

// inside measures the open store.
func (m *measurer) inside() error {
	before := load.LiveHeap() // with the store, whose heads are the same below
	for _, step := range []func() error{m.reads, m.pages} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := m.full(before); err != nil {
		return err
	}
	m.tell("verifying")
	start := time.Now()
	found, err := m.store.Verify(m.ctx, stet.VerifyOptions{})
	if err != nil {
		return err
	}
	if !found.OK() {
		return errors.New("verify: " + strings.Join(found.Problems, "; "))
	}
	m.f.add(Whole, Verify, report.Seconds, time.Since(start).Seconds())
	return m.backup()
}

// full fills the cache, and sees what the heap is then beyond what the cache may
// hold.
func (m *measurer) full(before uint64) error {
	m.tell("filling the cache")
	opened, _ := m.f.Get("heap, opened")
	want := min(2*core.DefaultCacheBytes/1024, m.f.Versions) // more than fit
	for range want {
		if _, err := m.store.Get(m.ctx, m.anyRef()); err != nil {
			return err
		}
	}
	grown := float64(load.LiveHeap()) - float64(before)
	m.f.add(Space, "heap of the caches, as full as they get", report.Bytes, grown)
	m.f.add(Space, HeapFull, report.Bytes, (opened+grown-min(grown, core.DefaultCacheBytes))/float64(m.f.Versions))
	return nil
}

// anyRef names any version of any prompt.
func (m *measurer) anyRef() string {
	i := m.rand.IntN(len(m.ids))
	return m.ids[i] + "@" + load.Number(m.rand.IntN(m.counts[i])).String()
}

// hotRefs is how many versions are read again and again: they fit into any cache.
const hotRefs = 256

func (m *measurer) reads() error {
	hot := func(name string, ref func() string) error {
		refs := make([]string, hotRefs)
		for i := range refs {
			refs[i] = ref()
		}
		n := 0
		return m.time(Reads, name, 64, func() error {
			_, err := m.store.Get(m.ctx, refs[n%hotRefs])
			n++
			return err
		})
	}
	anyID := func() string { return m.ids[m.rand.IntN(len(m.ids))] }
	long := func() string { return load.LongID + "@" + load.Number(m.rand.IntN(max(m.f.Long, 1))).String() }
	type row struct {
		name string
		ref  func() string
	}
	rows := []row{
		{GetHot, func() string { return anyID() + "@latest" }},
		{ExactHot, m.anyRef},
		{RangeHot, func() string { return anyID() + "@^1" }},
	}
	if m.f.Long > 0 {
		rows = append(rows,
			row{LongLatest, func() string { return load.LongID + "@latest" }},
			row{LongExact, long},
			row{LongRange, func() string { return strings.Replace(long(), "@", "@~", 1) }})
	}
	// The cold ones come first: each version is read once.
	if err := m.cold(GetCold, func(i int) string { return m.ids[i] + "@latest" }); err != nil {
		return err
	}
	if err := m.cold(ExactCold, func(i int) string { return m.ids[i] + "@" + load.Number(m.counts[i]/3).String() }); err != nil {
		return err
	}
	for _, r := range rows {
		if err := hot(r.name, r.ref); err != nil {
			return err
		}
	}
	return nil
}

// mostCold is how many cold reads are timed: some tenths of a second.
const mostCold = 5000

// cold times first reads of one version of each of some prompts. The system may
// have the file in its own cache; stet has not.
func (m *measurer) cold(name string, ref func(i int) string) error {
	m.tell(name)
	order := m.rand.Perm(len(m.ids))
	order = order[:min(len(order), mostCold)]
	refs := make([]string, len(order))
	for i, at := range order {
		refs[i] = ref(at)
	}
	runtime.GC()
	start := time.Now()
	for _, ref := range refs {
		if _, err := m.store.Get(m.ctx, ref); err != nil {
			return err
		}
	}
	m.f.add(Reads, name, report.Seconds, time.Since(start).Seconds()/float64(len(refs)))
	return nil
}

func (m *measurer) pages() error {
	const limit = 100
	list := func(name, id, cursor string) error {
		return m.time(Reads, name, 1, func() error {
			_, err := m.store.ListPage(m.ctx, id, stet.ListOptions{Limit: limit, Cursor: cursor})
			return err
		})
	}
	if m.f.Long > 0 {
		if err := list(ListFirst, load.LongID, ""); err != nil {
			return err
		}
		m.tell("walking to the middle")
		cursor := ""
		for seen := 0; seen < m.f.Long/2; {
			p, err := m.store.ListPage(m.ctx, load.LongID, stet.ListOptions{Limit: min(1000, m.f.Long/2-seen), Cursor: cursor})
			if err != nil {
				return err
			}
			seen += len(p.Items)
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		if err := list(ListDeep, load.LongID, cursor); err != nil {
			return err
		}
	}
	prompts := func(name, cursor string) error {
		return m.time(Reads, name, 1, func() error {
			_, err := m.store.PromptsPage(m.ctx, stet.PromptsOptions{Limit: limit, Cursor: cursor})
			return err
		})
	}
	if err := prompts(HeadsFirst, ""); err != nil {
		return err
	}
	cursor := ""
	for seen := 0; seen < m.f.Prompts/2; {
		p, err := m.store.PromptsPage(m.ctx, stet.PromptsOptions{Limit: min(1000, m.f.Prompts/2-seen), Cursor: cursor})
		if err != nil {
			return err
		}
		seen += len(p.Items)
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	return prompts(HeadsDeep, cursor)
}

// time calls do for some laps, chunk times between two looks at the clock, and adds
// the median of what a call took.
func (m *measurer) time(group, name string, chunk int, do func() error) error {
	m.tell(name)
	var laps []time.Duration
	for round := range max(m.Rounds, 1) + 1 {
		runtime.GC()
		n := 0
		start := time.Now()
		for time.Since(start) < m.Lap || n == 0 {
			for range chunk {
				if err := do(); err != nil {
					return err
				}
			}
			n += chunk
		}
		if round > 0 { // the first is to warm up
			laps = append(laps, time.Since(start)/time.Duration(n))
		}
	}
	m.f.add(group, name, report.Seconds, report.Median(laps).Seconds())
	return nil
}

// backup backs the store up beside itself.
func (m *measurer) backup() error {
	path, ok := fileOf(m.address)
	if !ok {
		m.report.leftOut("backup: " + m.address + " has no file")
		return nil
	}
	m.tell("backing up")
	to := path + ".backup"
	defer os.Remove(to)
	start := time.Now()
	if _, _, err := m.store.Backup(m.ctx, to, stet.BackupOptions{Overwrite: true}); err != nil {
		return err
	}
	m.f.add(Whole, Backup, report.Seconds, time.Since(start).Seconds())
	return nil
}

// saves measures what a save costs, of all stores in turn: open, some laps, close.
// They go into copies, so that a store of 10,000 versions remains one.
func saves(ctx context.Context, o Options, r *Report) (err error) {
	laps := make([][2][]time.Duration, len(o.Addresses))
	copies := make([]string, len(o.Addresses))
	defer func() {
		for _, path := range copies {
			for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
				os.Remove(path + suffix)
			}
		}
	}()
	for round := range max(o.Rounds, 1) {
		for i, address := range o.Addresses {
			path, ok := fileOf(address)
			if !ok {
				r.leftOut("saves: " + address + " cannot be copied, and saves would change it")
				continue
			}
			o.Progress(address + ": saving")
			// Fresh, unless what was saved into it is little beside the rest.
			if fileSize(copies[i]) > fileSize(path)*21/20 || copies[i] == "" {
				copies[i] = path + ".saves"
				if err := copyFile(path, copies[i]); err != nil {
					return err
				}
			}
			s, err := o.Open(ctx, "sqlite:"+copies[i])
			if err != nil {
				return err
			}
			for k, savers := range []int{1, 128} {
				took, serr := saveLap(ctx, s, savers, 4*o.Lap, uint64(round))
				laps[i][k] = append(laps[i][k], took)
				err = errors.Join(err, serr)
			}
			if err := errors.Join(err, s.Close()); err != nil {
				return err
			}
		}
	}
	for i := range o.Addresses {
		if len(laps[i][0]) > 0 {
			r.Stores[i].add(Saves, SaveOne, report.Seconds, report.Median(laps[i][0]).Seconds())
			r.Stores[i].add(Saves, SaveMany, report.Seconds, report.Median(laps[i][1]).Seconds())
		}
	}
	return nil
}

// saveLap returns what a save took: the time divided by all saves of all savers.
// They save to all prompts alike.
func saveLap(ctx context.Context, s *stet.Store, savers int, lap time.Duration, seed uint64) (time.Duration, error) {
	var ids []string
	for h, err := range s.Prompts(ctx, stet.PromptsOptions{Limit: 1000}) {
		if err != nil {
			return 0, err
		}
		ids = append(ids, h.PromptID)
	}
	corpus := load.Corpus{Seed: seed + 1000, Size: 1024}
	var (
		work sync.WaitGroup
		n    atomic.Int64
		errs = make([]error, savers)
	)
	one := func(w, i int) error {
		id := ids[(w*104_729+i*7919)%len(ids)] // primes: all prompts, in no order
		_, err := s.Save(ctx, stet.Draft{PromptID: id, Text: corpus.Text(id, w*1_000_000+i), Bump: "patch"})
		n.Add(1)
		return err
	}
	for i := range 10 { // warm up
		if err := one(savers, i); err != nil {
			return 0, err
		}
	}
	runtime.GC()
	n.Store(0)
	start := time.Now()
	for w := range savers {
		work.Go(func() {
			for i := 0; time.Since(start) < lap && errs[w] == nil; i++ {
				errs[w] = one(w, i)
			}
		})
	}
	work.Wait()
	took := time.Since(start) / time.Duration(max(n.Load(), 1))
	return took, errors.Join(errs...)
}
