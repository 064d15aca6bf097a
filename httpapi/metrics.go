package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stet-dev/stet"
)

// metrics has the metrics of one server, in a registry of its own, so that two servers in
// one process do not share them.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refused  *prometheus.CounterVec
	answer   http.Handler // of /metrics
	// gets counts the calls of Store.Get; see stet.Stats.Gets.
	gets atomic.Uint64
}

// buckets of the time that a request takes, in seconds. A read takes some ten
// microseconds, a save a sync.
var buckets = []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

func newMetrics(store *stet.Store, l *limiter, more prometheus.Collector) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stet_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stet_http_request_seconds", Help: "Time from a request's header to the end of its answer, streams left out.", Buckets: buckets,
		}, []string{"route"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stet_http_refused_total", Help: "Requests refused by a limit, by which.",
		}, []string{"limit"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.refused, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &storeMetrics{store: store, monitor: monitorOf(store), limiter: l, gets: &m.gets})
	if more != nil {
		m.registry.MustRegister(more)
	}
	m.answer = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return m
}

// getMetrics answers /metrics: to every key, if there are keys.
func (s *Server) getMetrics(c *call) error {
	s.metrics.answer.ServeHTTP(c.w, c.r)
	return nil
}

// request counts a request that was answered.
func (m *metrics) request(route string, k kind, status int, took time.Duration) {
	m.requests.WithLabelValues(route, statusText(status)).Inc()
	if k != kindStream {
		m.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

func statusText(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusCreated:
		return "201"
	case http.StatusNotModified:
		return "304"
	}
	return strconv.Itoa(status)
}

// monitorOf returns the monitor of a store. A client's store has none: its counters are
// zero.
func monitorOf(store *stet.Store) stet.Monitor {
	if m, ok := store.Backend().(stet.Monitor); ok {
		return m
	}
	return noMonitor{}
}

type noMonitor struct{}

func (noMonitor) Stats() stet.Stats        { return stet.Stats{} }
func (noMonitor) Writing() context.Context { return context.Background() }

// storeMetrics collects the state of the store and of the limits.
type storeMetrics struct {
	store   *stet.Store
	monitor stet.Monitor
	limiter *limiter
	gets    *atomic.Uint64
}

func description(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("stet_"+name, help, labels, nil)
}

var (
	descRevision    = description("revision", "The newest revision that reads see.")
	descQueued      = description("commits_queued", "Commits that wait to be written.")
	descStopped     = description("engine_stopped", "1 if the engine has stopped writing for good, which only opening the store again ends; otherwise 0.")
	descInHand      = description("http_in_hand", "Requests that are being worked on, streams left out.")
	descSubscribers = description("subscribers", "Streams of changes and long polls that are open.")
	descBodyBytes   = description("http_body_bytes", "Bytes of bodies that the requests in hand may have.")
	descAnswerBytes = description("http_answer_bytes", "Bytes of large answers that are on their way.")
	descCommits     = description("commits_total", "Commits, by what became of them: applied, replayed, conflict, refused, failed.", "outcome")
	descBatches     = description("commit_batch_size", "Commits that were written together, in one append and one sync.")
	descHits        = description("cache_hits_total", "Texts that were in memory when they were read.")
	descMisses      = description("cache_misses_total", "Texts that had to be read from the storage.")
)

func (s *storeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descRevision, descQueued, descStopped, descInHand, descSubscribers, descBodyBytes, descAnswerBytes, descCommits, descBatches, descHits, descMisses} {
		ch <- d
	}
}

func (s *storeMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	if tail, err := s.store.Tail(context.Background()); err == nil {
		gauge(descRevision, float64(tail.Revision))
	}
	gauge(descQueued, float64(s.monitor.Stats().Queued))
	stopped := 0.0
	if s.monitor.Writing().Err() != nil {
		stopped = 1
	}
	gauge(descStopped, stopped)
	gauge(descInHand, float64(s.limiter.inHand[kindUsual].Load()+s.limiter.inHand[kindWait].Load()+s.limiter.inHand[kindLarge].Load()))
	gauge(descSubscribers, float64(s.limiter.inHand[kindStream].Load()))
	gauge(descBodyBytes, float64(s.limiter.bytes.Load()))
	gauge(descAnswerBytes, float64(s.limiter.answers.Load()))

	gets := s.gets.Load() // before the store's, so that the difference is not negative for long
	stats := s.monitor.Stats()
	counter(descCommits, stats.Commits, "applied")
	counter(descCommits, stats.Replayed, "replayed")
	counter(descCommits, stats.Conflicts, "conflict")
	counter(descCommits, stats.Refused, "refused")
	counter(descCommits, stats.Failed, "failed")
	ch <- batchSizes(&stats)
	counter(descMisses, stats.Misses)
	counter(descHits, stats.Hits+gets-min(stats.Gets, gets))
}

func batchSizes(stats *stet.Stats) prometheus.Metric {
	cumulative, total := make(map[float64]uint64), uint64(0)
	for i, n := range stats.Batches {
		total += n
		if i < stet.BatchBuckets-1 {
			cumulative[float64(uint(1)<<i)] = total
		}
	}
	return prometheus.MustNewConstHistogram(descBatches, total, float64(stats.Commits), cumulative)
}
