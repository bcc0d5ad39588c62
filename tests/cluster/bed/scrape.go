package bed

// Scrape is what Prometheus scrapes. The zero value is everything, every two seconds.
type Scrape struct {
	// Interval between scrapes of pods; empty means 2s.
	Interval string
	// Nothing makes Prometheus scrape nothing at all. Series that are there keep their last value for as long as
	// queries look back, five minutes: targets that a configuration takes away are not marked as gone.
	Nothing bool
	// DropMetrics is a regular expression of metric names to drop from what pods report; their series end at once.
	DropMetrics string
	// Pages are further addresses that are scraped, at /metrics.
	Pages []string
	// PodRules and MetricRules are further relabel rules of the pods' job, in Prometheus's own words.
	PodRules, MetricRules []map[string]any
}

// config is the whole configuration of Prometheus.
func (s Scrape) config(b *Bed) object {
	interval := s.Interval
	if interval == "" {
		interval = "2s"
	}
	jobs := list{
		s.pods(b),
		kubelet(b, "kubelet-resource", "/metrics/resource", interval),
		kubelet(b, "kubelet-cadvisor", "/metrics/cadvisor", "10s"),
	}
	if len(s.Pages) > 0 {
		jobs = append(jobs, object{"job_name": "pages", "static_configs": list{object{"targets": s.Pages}}})
	}
	if s.Nothing {
		jobs = list{}
	}
	return object{
		"global":         object{"scrape_interval": interval, "scrape_timeout": interval},
		"scrape_configs": jobs,
	}
}

// pods finds the pods that ask to be scraped, by the usual annotations.
func (s Scrape) pods(b *Bed) object {
	annotation := func(name string) string { return "__meta_kubernetes_pod_annotation_prometheus_io_" + name }
	rules := list{
		object{"source_labels": list{annotation("scrape")}, "regex": "true", "action": "keep"},
		object{"source_labels": list{"__meta_kubernetes_pod_phase"}, "regex": "Succeeded|Failed", "action": "drop"},
		object{"source_labels": list{annotation("path")}, "regex": "(.+)", "target_label": "__metrics_path__"},
		object{"source_labels": list{"__meta_kubernetes_pod_ip", annotation("port")}, "separator": ":",
			"regex": "(.+:.+)", "target_label": "__address__"},
		// A page of very many series must not be scraped as often as the others.
		object{"source_labels": list{annotation("interval")}, "regex": "(.+)", "target_label": "__scrape_interval__"},
		object{"source_labels": list{annotation("interval")}, "regex": "(.+)", "target_label": "__scrape_timeout__"},
		object{"source_labels": list{"__meta_kubernetes_namespace"}, "target_label": "namespace"},
		object{"source_labels": list{"__meta_kubernetes_pod_name"}, "target_label": "pod"},
		object{"source_labels": list{"__meta_kubernetes_pod_label_app"}, "target_label": "app"},
	}
	metricRules := list{}
	if s.DropMetrics != "" {
		metricRules = append(metricRules,
			object{"source_labels": list{"__name__"}, "regex": s.DropMetrics, "action": "drop"})
	}
	return object{
		"job_name":               "pods",
		"kubernetes_sd_configs":  list{object{"role": "pod", "kubeconfig_file": b.path("config", "prometheus.kubeconfig")}},
		"relabel_configs":        appendRules(rules, s.PodRules),
		"metric_relabel_configs": appendRules(metricRules, s.MetricRules),
	}
}

func kubelet(b *Bed, job, path, interval string) object {
	return object{
		"job_name": job, "scheme": "https", "metrics_path": path, "scrape_interval": interval, "scrape_timeout": interval,
		"tls_config": object{"ca_file": b.pki.crt("ca"),
			"cert_file": b.pki.crt("prometheus"), "key_file": b.pki.keyFile("prometheus")},
		"static_configs": list{object{"targets": list{NodeIP + ":10250"}, "labels": object{"node": NodeName}}},
	}
}

func appendRules(rules list, more []map[string]any) list {
	for _, rule := range more {
		rules = append(rules, rule)
	}
	return rules
}
