//! What a listener bears.

use super::*;

#[tokio::test]
async fn mute_peers_delay_nobody() {
    let running = run(patient(), Drain::default(), false).await;
    let mut mute = Vec::new();
    for _ in 0..50 {
        mute.push(running.tcp().await);
    }
    assert!(works(&mut running.http1(running.client()).await).await);
    assert_eq!(running.counters.tally().open, 51);
}

#[tokio::test]
async fn mute_peers_beyond_the_limit_give_way() {
    let limits = Limits { handshakes: 10, grace: Duration::ZERO, ..patient() };
    let running = run(limits, Drain::default(), false).await;
    let mut mute = Vec::new();
    for _ in 0..50 {
        mute.push(running.tcp().await);
    }
    assert!(works(&mut running.http1(running.client()).await).await);
    eventually(|| running.counters.tally().handshakes_evicted == 41).await;
    assert_eq!(in_time(mute.remove(0).read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_handshake_has_a_limit_of_time() {
    let limits = Limits { handshake: Duration::from_millis(1), ..patient() };
    let running = run(limits, Drain::default(), false).await;
    assert_eq!(in_time(running.tcp().await.read(&mut [0])).await.unwrap(), 0);
    eventually(|| running.counters.tally().open == 0).await;
    assert_eq!(running.counters.tally().handshakes_timed_out, 1);
}

/// Peers that finished their handshake and, of a request, sent this much.
async fn slow(running: &Running) -> Vec<TlsStream<TcpStream>> {
    let mut peers = Vec::new();
    for beginning in [&b""[..], b"POST / HT", b"POST / HTTP/1.1\r\nhost:"] {
        let mut peer = running.tls(running.client()).await.unwrap();
        // The listener may have closed it by now.
        let _ = peer.write_all(beginning).await;
        peers.push(peer);
    }
    peers
}

#[tokio::test]
async fn slow_headers_delay_nobody() {
    let running = running().await;
    let peers = slow(&running).await;
    assert!(works(&mut running.http1(running.client()).await).await);
    assert_eq!(running.counters.tally().open, 4);
    drop(peers);
}

#[tokio::test]
async fn slow_headers_have_a_limit_of_time() {
    let limits = Limits { idle: Duration::from_millis(1), ..patient() };
    let running = run(limits, Drain::default(), false).await;
    let peers = slow(&running).await;
    eventually(|| running.counters.tally().open == 0).await;
    drop(peers);
}

#[tokio::test]
async fn idle_connections_have_a_limit_of_time() {
    let limits = Limits { idle: Duration::from_millis(1), ..patient() };
    let running = run(limits, Drain::default(), false).await;
    let io = TokioIo::new(running.tls(running.client().http2()).await.unwrap());
    // the listener may have said goodbye by now
    if let Ok((sender, connection)) =
        http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), io).await
    {
        // one that answers pings, and asks for nothing
        let _ = in_time(connection).await;
        drop(sender);
    }
    eventually(|| running.counters.tally().open == 0).await;
}

#[tokio::test]
async fn answers_that_nobody_takes_are_given_up() {
    let limits = Limits { write_timeout: Duration::from_millis(10), ..patient() };
    let ask = b"GET /much HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let running = run(limits, Drain::default(), true).await;
    let mut peer = running.tcp().await;
    peer.write_all(ask).await.unwrap();
    eventually(|| running.counters.tally() == Tally { accepted: 1, ..Tally::default() }).await;
    let running = run(limits, Drain::default(), false).await;
    let mut peer = running.tls(running.client()).await.unwrap();
    peer.write_all(ask).await.unwrap();
    eventually(|| running.counters.tally() == Tally { accepted: 1, ..Tally::default() }).await;
}

#[tokio::test]
async fn headers_have_a_limit_of_size() {
    let running = running().await;
    let mut sender = running.http1(running.client()).await;
    // The limit is on a buffer that is looked at after each read, so it is not sharp.
    let long = "x".repeat(4 * Limits::default().header_bytes);
    let request = Request::post("/").header("x-long", long).body(Full::default()).unwrap();
    // The answer may be lost: the listener closes while the peer still sends.
    if let Ok(response) = in_time(sender.send_request(request)).await {
        let expected = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        assert_eq!(response.status(), expected);
    }
}

#[test]
fn idle_connections_outlive_the_callers_own_limit() {
    assert!(Limits::default().idle >= CALLER_IDLE + Duration::from_secs(30));
}

#[tokio::test]
async fn idle_connections_give_way_where_there_are_too_many() {
    let limits = Limits { connections: 2, grace: Duration::ZERO, ..patient() };
    let running = run(limits, Drain::default(), false).await;
    let mut worked = running.http1(running.client()).await;
    assert!(works(&mut worked).await);
    let mut mute = Vec::new();
    for _ in 0..20 {
        mute.push(running.tls(running.client()).await.unwrap());
    }
    // of all these the one that worked has stayed
    assert!(works(&mut worked).await);
    assert!(works(&mut running.http1(running.client()).await).await);
    eventually(|| running.counters.tally().open == 2).await;
    let tally = running.counters.tally();
    assert_eq!((tally.evicted + tally.handshakes_evicted, tally.rejected), (20, 0));
}

#[tokio::test]
async fn the_newest_connection_is_closed_where_all_are_at_work() {
    let limits = Limits { connections: 2, ..patient() };
    let running = run(limits, Drain::default(), false).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut sender = running.http1(running.client()).await;
        waiting.push(tokio::spawn(async move {
            text(sender.send_request(wait()).await.unwrap()).await
        }));
    }
    running.waiting(2).await;
    assert!(running.tls(running.client()).await.is_err());
    assert_eq!(running.counters.tally().rejected, 1);
    running.release.notify_waiters();
    for answer in waiting {
        assert_eq!(in_time(answer).await.unwrap(), "released");
    }
    assert!(works(&mut running.http1(running.client()).await).await);
}

#[test]
fn a_failure_to_accept_pauses_only_where_it_would_last() {
    let one_peer = io::Error::from(ErrorKind::ConnectionAborted);
    assert_eq!(next_pause(&one_peer, None), None);
    let no_descriptors = io::Error::from_raw_os_error(24);
    let mut pauses = Vec::new();
    for _ in 0..10 {
        pauses.push(next_pause(&no_descriptors, pauses.last().copied().flatten()));
    }
    assert_eq!(pauses.first(), Some(&Some(Duration::from_millis(5))));
    assert_eq!(pauses.get(1), Some(&Some(Duration::from_millis(10))));
    assert_eq!(pauses.last(), Some(&Some(Duration::from_secs(1))));
}
