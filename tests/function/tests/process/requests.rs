//! What requests and scrapes see of a running function.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::child::{Answer, Process, get};

#[test]
fn requests_beyond_the_slots_queue_first_in_first_out() {
    let function = Process::listening(&[("CONCURRENCY", "1"), ("WORK_MS", "200")]);
    let address = function.address;
    // The first holds the slot for long enough to let the others line up on a busy machine.
    let paths = ["/?work_ms=2000", "/", "/", "/"];
    let answers: Vec<Answer> = thread::scope(|scope| {
        let visitors: Vec<_> = (1..)
            .zip(paths)
            .map(|(count, path)| {
                let visitor = scope.spawn(move || get(address, path).unwrap());
                // The next one comes only when this one is known to be in the queue.
                function.until_in_flight(count);
                visitor
            })
            .collect();
        visitors.into_iter().map(|v| v.join().unwrap()).collect()
    });
    let began: Vec<u64> = answers.iter().map(Answer::slot_millis).collect();
    // Less a millisecond each for two numbers rounded down.
    for (pair, work) in began.windows(2).zip([2000, 200, 200]) {
        assert!(pair[1] + 2 >= pair[0] + work, "{began:?}");
    }
    assert_eq!(function.metric("function_queue_seconds_count"), "4");
    let waited: f64 = function.metric("function_queue_seconds_sum").parse().unwrap();
    let waited = Duration::from_secs_f64(waited).as_millis();
    let answered: u128 = answers.iter().map(|a| u128::from(a.millis("x-queue-ms"))).sum();
    assert!(
        (answered..=answered + 4).contains(&waited),
        "{waited} counted, {answered} answered"
    );
}

#[test]
fn a_burst_between_scrapes_shows_in_the_next_scrape_only() {
    let function = Process::listening(&[("CONCURRENCY", "3"), ("WORK_MS", "1000")]);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| function.get("/").unwrap());
        }
    });
    let page = function.get("/metrics").unwrap().body;
    assert!(page.contains("\nfunction_inflight_requests 0\n"), "{page}");
    assert!(page.contains("\nfunction_inflight_requests_peak 6\n"), "{page}");
    let page = function.get("/metrics").unwrap().body;
    assert!(page.contains("\nfunction_inflight_requests_peak 0\n"), "{page}");
}

#[test]
fn a_head_of_metrics_leaves_the_peak_alone() {
    let function = Process::listening(&[("WORK_MS", "1")]);
    function.get("/").unwrap();
    let mut probe = TcpStream::connect(function.address).unwrap();
    probe
        .write_all(b"HEAD /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .unwrap();
    std::io::copy(&mut probe, &mut std::io::sink()).unwrap();
    assert_eq!(function.metric("function_inflight_requests_peak"), "1");
}

#[test]
fn what_a_pod_has_become_holds_for_every_request_after() {
    let function = Process::listening(&[("WORK_MS", "0")]);
    assert_eq!(function.get("/").unwrap().code, 200);
    assert_eq!(function.get("/become?work_ms=120&fail=1").unwrap().code, 200);
    assert_eq!(function.get("/").unwrap().code, 500);
    assert_eq!(function.metric("function_request_seconds_count"), "2");
    let took: f64 = function.metric("function_request_seconds_sum").parse().unwrap();
    assert!(took >= 0.12, "{took}");
    assert_eq!(function.get("/become").unwrap().code, 200);
    assert_eq!(function.get("/").unwrap().code, 200);
}

#[test]
fn an_answer_names_its_pod_and_its_age() {
    let function = Process::listening(&[("HOSTNAME", "pod-7"), ("STARTUP_MS", "100")]);
    let answer = function.get("/?work_ms=0&id=1").unwrap();
    assert_eq!(answer.code, 200);
    assert_eq!(answer.header("x-pod"), Some("pod-7"));
    assert!(answer.millis("x-started-ms") >= 100, "{answer:?}");
}

#[test]
fn failures_are_counted_by_code_and_as_errors() {
    let function = Process::listening(&[("WORK_MS", "0")]);
    assert_eq!(function.get("/?fail=1").unwrap().code, 500);
    assert_eq!(function.get("/").unwrap().code, 200);
    assert_eq!(function.get("/?work_ms=soon").unwrap().code, 400);
    let page = function.get("/metrics").unwrap().body;
    for line in [
        "function_requests_total{code=\"200\"} 1",
        "function_requests_total{code=\"500\"} 1",
        "function_errors_total 1",
    ] {
        assert!(page.lines().any(|l| l == line), "no {line:?} in\n{page}");
    }
}

#[test]
fn a_client_that_leaves_the_queue_leaves_the_gauge() {
    let function = Process::listening(&[("CONCURRENCY", "1")]);
    let ask = |path: &str| {
        let mut connection = TcpStream::connect(function.address).unwrap();
        write!(connection, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
        connection
    };
    let running = ask("/?work_ms=60000");
    function.until_in_flight(1);
    let queued = ask("/");
    function.until_in_flight(2);
    drop(queued);
    function.until_in_flight(1);
    drop(running);
    function.until_in_flight(0);
    assert_eq!(function.metric("function_requests_total{code=\"499\"}"), "2");
    assert_eq!(function.get("/?work_ms=0").unwrap().millis("x-queue-ms") / 1000, 0);
}
