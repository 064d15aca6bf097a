package conns

import "github.com/prometheus/client_golang/prometheus"

var (
	descOpen   = prometheus.NewDesc("stet_http_connections", "Connections that are open, those of the private socket left out.", nil, nil)
	descClosed = prometheus.NewDesc("stet_http_connections_closed_total", "Connections closed for want of places: new ones (refused), and those that waited for a request (waited).", []string{"which"}, nil)
)

// Describe and Collect make the listener a [prometheus.Collector] of its Stats.
func (l *Listener) Describe(ch chan<- *prometheus.Desc) {
	ch <- descOpen
	ch <- descClosed
}

// Collect is called for each answer to /metrics.
func (l *Listener) Collect(ch chan<- prometheus.Metric) {
	s := l.Stats()
	ch <- prometheus.MustNewConstMetric(descOpen, prometheus.GaugeValue, float64(s.Open))
	ch <- prometheus.MustNewConstMetric(descClosed, prometheus.CounterValue, float64(s.Refused), "refused")
	ch <- prometheus.MustNewConstMetric(descClosed, prometheus.CounterValue, float64(s.Dropped), "waited")
}
