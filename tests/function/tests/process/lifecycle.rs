//! Start and end of a real process.

use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{Process, get, until};

#[test]
fn until_ready_the_port_refuses() {
    let mut function = Process::starting(&[("STARTUP_MS", "700"), ("MEMORY_MB", "8")]);
    let born = Instant::now();
    let refused = function.get("/").map(|a| a.code).map_err(|e| e.kind());
    // On a machine so busy that start-up is over, this says nothing; the age below still does.
    if born.elapsed() < Duration::from_millis(600) {
        assert_eq!(refused, Err(ErrorKind::ConnectionRefused));
    }
    until(|| function.get("/readyz").is_ok_and(|a| a.code == 200));
    assert!(function.get("/").unwrap().millis("x-started-ms") >= 700);
    function.terminate();
    assert!(function.exit().success());
}

#[test]
fn without_refusal_early_requests_wait_for_the_start() {
    let function = Process::listening(&[("STARTUP_MS", "1500"), ("STARTUP_REFUSE", "false"), ("WORK_MS", "0")]);
    let answer = function.get("/readyz").unwrap();
    assert_eq!((answer.code, answer.body.as_str()), (503, "starting\n"));
    assert_eq!(function.get("/healthz").unwrap().code, 200);
    let answer = function.get("/").unwrap();
    assert_eq!(answer.code, 200);
    let ready_at = answer.slot_millis();
    // Two roundings down, of a millisecond each.
    assert!(ready_at >= 1498, "{answer:?}");
    assert_eq!(function.get("/readyz").unwrap().code, 200);
}

#[test]
fn a_drain_finishes_what_is_in_flight_and_queued() {
    let mut function = Process::listening(&[("CONCURRENCY", "1"), ("WORK_MS", "1000"), ("LINGER_MS", "0")]);
    let address = function.address;
    let visitors: Vec<_> = (0..3).map(|_| thread::spawn(move || get(address, "/"))).collect();
    function.until_in_flight(3);
    function.terminate();
    until(|| get(address, "/healthz").is_err());
    for visitor in visitors {
        let answer = visitor.join().unwrap().unwrap();
        assert_eq!(answer.code, 200);
    }
    assert!(function.exit().success());
}

#[test]
fn a_late_arrival_is_served_while_lingering_and_sent_elsewhere() {
    let mut function = Process::listening(&[("WORK_MS", "0"), ("LINGER_MS", "3000")]);
    function.terminate();
    until(|| function.get("/readyz").is_ok_and(|a| a.body == "draining\n"));
    let answer = function.get("/").unwrap();
    assert_eq!((answer.code, answer.header("connection")), (200, Some("close")));
    assert!(function.exit().success());
}

#[test]
fn a_drain_that_takes_too_long_is_cut() {
    let mut function = Process::listening(&[("LINGER_MS", "0"), ("DRAIN_MS", "300")]);
    let address = function.address;
    let stuck = thread::spawn(move || get(address, "/?work_ms=600000"));
    function.until_in_flight(1);
    function.terminate();
    assert!(function.exit().success());
    assert!(stuck.join().unwrap().is_err());
}

#[test]
fn a_stop_during_start_up_ends_at_once() {
    let mut function = Process::starting(&[("STARTUP_MS", "600000")]);
    // Before that SIGTERM kills outright.
    until(|| function.catches_sigterm());
    function.terminate();
    assert!(function.exit().success());
}
