//! OpenTelemetry metrics pushed to Prometheus's own OTLP receiver, as JSON.

use crate::exporter::EVERY;
use crate::server::http;
use serde_json::{Value, json};

/// Pushes what a pod with the OpenTelemetry SDK would have from `from` up to `to`: a histogram of call durations
/// whose sum grows by `rate` a second, or for `None` only a gauge of the runtime.
pub(crate) async fn push(url: &str, pod: &str, rate: Option<f64>, from: i64, to: i64) {
    let http = http();
    for second in (from.div_euclid(EVERY)..=to.div_euclid(EVERY))
        .step_by(4)
        .map(|k| k * EVERY)
    {
        let metric = rate.map_or_else(|| gauge(second), |rate| histogram(second, rate));
        let body = json!({"resourceMetrics": [{
            "resource": {"attributes": [
                attribute("service.name", "fraud"), attribute("service.instance.id", pod),
                attribute("k8s.namespace.name", "payments"), attribute("k8s.pod.name", pod),
            ]},
            "scopeMetrics": [{"metrics": [metric]}],
        }]});
        let request = http
            .post(format!("{url}/api/v1/otlp/v1/metrics"))
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("Prometheus listens");
        let status = answer.status();
        assert!(
            status.is_success(),
            "{status}: {}",
            answer.text().await.unwrap_or_default()
        );
    }
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn nanos(second: i64) -> String {
    format!("{second}000000000")
}

fn histogram(second: i64, rate: f64) -> Value {
    let since = second - 1_700_000_000;
    let sum = rate * f64::from(i32::try_from(since).expect("this century"));
    json!({"name": "http.server.request.duration", "unit": "s", "histogram": {
        "aggregationTemporality": 2,
        "dataPoints": [{
            "startTimeUnixNano": nanos(1_700_000_000), "timeUnixNano": nanos(second),
            "attributes": [attribute("http.response.status_code", "200"), attribute("http.request.method", "GET")],
            "count": since.to_string(), "sum": sum, "bucketCounts": [since.to_string(), "0"], "explicitBounds": [10.0],
        }],
    }})
}

fn gauge(second: i64) -> Value {
    json!({"name": "process.runtime.threads", "gauge": {
        "dataPoints": [{"timeUnixNano": nanos(second), "asDouble": 8.0}],
    }})
}
