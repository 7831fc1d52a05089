//! How a server ends. It leaves neither processes nor files.

use lumos_testkit::leftovers::{assert_no_process_left, assert_nothing_left};
use lumos_testkit::scratch::wait_until;
use lumos_testkit::server::{SUBJECTS, Server};
use nix::sys::signal::{Signal, kill};

const SPIN: &str = r#"{"op":"spin"}"#;

/// A server with one running request.
fn spinning(subject: (&str, &str), more: &[&str]) -> (Server, lumos_testkit::http_client::Client) {
    let server = Server::start(&["conformance"], subject, more);
    let mut client = server.client();
    client.send("/conformance", SPIN);
    wait_until("the instance to serve", || server.busy("conformance") == 1.0);
    (server, client)
}

#[test]
fn signal_drains_the_server() {
    for (subject, signal) in
        SUBJECTS.into_iter().zip([Signal::SIGTERM, Signal::SIGINT, Signal::SIGTERM])
    {
        let (mut server, mut client) = spinning(subject, &["--timeout", "3s"]);
        server.signal(signal);
        // New clients get a response while the first request is served.
        let draining = || server.client().get("/healthz").status == 503;
        wait_until("the gateway to drain", draining);
        server.client().post("/conformance", SPIN).is(503, "draining");
        client.receive().is(504, "deadline-passed");
        let ended = server.ended().expect(0);
        assert!(ended.stderr.contains(&format!("received {signal}: draining")), "{}", ended.stderr);
        let expected = "\ndrained: 2 requests\n  1  deadline-passed\n  1  draining\n";
        assert!(ended.stdout.ends_with(expected), "{}", ended.stdout);
        assert_nothing_left(&server.scratch, server.pid());
    }
}

#[test]
fn request_that_outlives_the_drain_is_stopped_and_gets_503() {
    for subject in SUBJECTS {
        let (mut server, mut client) = spinning(subject, &["--drain-within", "100ms"]);
        server.signal(Signal::SIGTERM);
        client.receive().is(503, "draining");
        let ended = server.ended().expect(143);
        assert!(ended.stdout.ends_with("drained: 1 requests\n  1  draining\n"), "{}", ended.stdout);
        assert!(ended.stderr.contains("1 requests that waited or ran were stopped"));
        assert_nothing_left(&server.scratch, server.pid());
    }
}

#[test]
fn second_signal_ends_the_server_at_once() {
    let (mut server, _client) = spinning(SUBJECTS[1], &["--drain-within", "1h", "--timeout", "1h"]);
    server.signal(Signal::SIGINT);
    wait_until("the gateway to drain", || server.client().get("/healthz").status == 503);
    server.signal(Signal::SIGINT);
    server.ended().expect(130);
    assert_no_process_left(&server.scratch, server.pid());
}

#[test]
fn killed_server_leaves_nothing() {
    for subject in SUBJECTS {
        let (mut server, _client) = spinning(subject, &[]);
        server.signal(Signal::SIGKILL);
        server.ended();
        assert_no_process_left(&server.scratch, server.pid());
        // The host removes its cgroups, or else the next start does.
        let mut next = Server::start(&["noop"], SUBJECTS[0], &[]);
        assert_nothing_left(&server.scratch, server.pid());
        next.signal(Signal::SIGTERM);
        next.ended().expect(0);
        assert_nothing_left(&next.scratch, next.pid());
    }
}

#[test]
fn death_of_the_host_ends_the_server() {
    for subject in SUBJECTS {
        let (mut server, _client) = spinning(subject, &[]);
        kill(server.host(), Signal::SIGKILL).unwrap();
        let ended = server.ended().expect(1);
        assert!(ended.stderr.contains("the gateway is gone: lumos-host-"), "{}", ended.stderr);
        assert_nothing_left(&server.scratch, server.pid());
    }
}
