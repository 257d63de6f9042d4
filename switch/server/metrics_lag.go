package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"ozswitch/media/pace"
)

// lagCollector shows how late the ticks of the sound's clock were. The pacer
// counts by itself, in its thread; it is read only when asked for.
type lagCollector struct {
	desc *prometheus.Desc
	lag  func() pace.Lag
}

// Pacing makes media_tick_lag_seconds of the pacer's own counts.
func (m *Metrics) Pacing(lag func() pace.Lag) {
	m.registry.MustRegister(&lagCollector{
		prometheus.NewDesc(namespace+"_media_tick_lag_seconds", "How late ticks of the sound's clock were.", nil, nil), lag,
	})
}

// Describe implements prometheus.Collector.
func (c *lagCollector) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements prometheus.Collector.
func (c *lagCollector) Collect(to chan<- prometheus.Metric) {
	l := c.lag()
	buckets, sum := map[float64]uint64{}, uint64(0)
	for i, b := range l.Bounds {
		sum += l.Counts[i]
		buckets[b.Seconds()] = sum
	}
	to <- prometheus.MustNewConstHistogram(c.desc, l.Count(), l.Sum.Seconds(), buckets)
}
