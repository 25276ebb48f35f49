//! How a listener leaves.

use super::*;

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_takes_no_more() {
    let mut running = running().await;
    let mut idle = running.http1(running.client()).await;
    let mut busy = running.http1(running.client()).await;
    let mute = running.tcp().await;
    let fresh = running.tls(running.client()).await.unwrap();
    assert!(works(&mut idle).await);
    let answer = tokio::spawn(busy.send_request(wait()));
    running.waiting(1).await;
    running.stop();
    eventually(|| running.counters.tally().open == 1).await;
    assert!(!works(&mut idle).await);
    assert!(TcpStream::connect(running.address).await.is_err());
    assert!(!running.ended.is_finished());

    running.release.notify_waiters();
    let response = in_time(answer).await.unwrap().unwrap();
    assert_eq!(response.headers().get(CONNECTION).unwrap(), "close");
    assert_eq!(text(response).await, "released");
    assert_eq!(in_time(running.ended).await.unwrap(), 0);
    assert_eq!(running.counters.tally().open, 0);
    drop((mute, fresh));
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_on_http2() {
    let mut running = running().await;
    let io = TokioIo::new(running.tls(running.client().http2()).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let answer = tokio::spawn(sender.send_request(wait()));
    running.waiting(1).await;
    running.stop();
    in_time(async { while sender.send_request(echo()).await.is_ok() {} }).await;
    running.release.notify_waiters();
    let response = in_time(answer).await.unwrap().unwrap();
    assert_eq!(text(response).await, "released");
    assert_eq!(in_time(running.ended).await.unwrap(), 0);
}

#[tokio::test]
async fn callers_are_sent_elsewhere_before_the_port_closes() {
    let drain = Drain { delay: Duration::from_secs(3_600), ..Drain::default() };
    let mut running = run(patient(), drain, false).await;
    let mut before = running.http1(running.client()).await;
    let response = in_time(before.send_request(echo())).await.unwrap();
    assert!(response.headers().get(CONNECTION).is_none());
    drop(text(response).await);
    running.stop();
    // The signal takes a moment to arrive.
    let last = in_time(async {
        loop {
            let response = before.send_request(echo()).await.unwrap();
            let last = response.headers().get(CONNECTION).cloned();
            assert_eq!(text(response).await, "review");
            if last.is_some() {
                break last;
            }
        }
    });
    assert_eq!(last.await.unwrap(), "close");
    let mut after = running.http1(running.client()).await;
    assert!(works(&mut after).await, "the port is still open");
    running.ended.abort();
}

#[tokio::test]
async fn a_stop_has_a_limit_of_time() {
    let drain = Drain { delay: Duration::ZERO, limit: Duration::from_millis(1) };
    let mut running = run(patient(), drain, false).await;
    let mut busy = running.http1(running.client()).await;
    let answer = tokio::spawn(busy.send_request(wait()));
    running.waiting(1).await;
    running.stop();
    assert_eq!(in_time(running.ended).await.unwrap(), 1);
    assert!(in_time(answer).await.unwrap().is_err());
}

#[tokio::test]
async fn a_listener_dropped_takes_its_connections_along() {
    let running = running().await;
    let mut sender = running.http1(running.client()).await;
    assert!(works(&mut sender).await);
    running.ended.abort();
    eventually(|| running.counters.tally().open == 0).await;
}
