//! Against servers that answer, break off, refuse and stay silent.

use std::sync::Arc;

use hyper::Uri;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::certificate::testing::in_time;
use crate::cluster::asking_once;

/// What a server does with whatever it is asked.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Says(&'static str),
    SaysAndStays(&'static str),
    Closes,
    Resets,
    StaysSilent,
}

/// The port of a server on every loopback address, and the first line of each request.
async fn server(habit: Habit) -> (u16, watch::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, seen) = watch::channel(String::new());
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if let Habit::Closes = habit {
                continue;
            }
            asked.send_replace(first_line(&mut stream).await);
            match habit {
                Habit::Says(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                Habit::Resets => {
                    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                }
                Habit::SaysAndStays(text) => {
                    stream.write_all(text.as_bytes()).await.unwrap();
                    silent.push(stream);
                }
                Habit::StaysSilent | Habit::Closes => silent.push(stream),
            }
        }
    });
    (port, seen)
}

/// Reads a request to its end, so that closing is no reset.
async fn first_line(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(stream.read_u8().await.unwrap()));
    }
    head.lines().next().unwrap_or_default().to_owned()
}

/// A port at which nobody listens, as long as the socket is there.
fn closed_port(ip: &str) -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address: SocketAddr = format!("{ip}:0").parse().unwrap();
    socket.bind(&address.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

fn means(timeout: Duration) -> (Means, watch::Sender<Option<PodAtHand>>) {
    let pod = watch::Sender::new(None);
    (Means { api_server: None, tls: None, pod: pod.subscribe(), timeout }, pod)
}

/// What becomes of a request that has all the time there is.
async fn asked(target: &str, means: &Means) -> Result<(), Failure> {
    in_time(send(&target.parse().unwrap(), means)).await
}

async fn asked_of(habit: Habit, timeout: Duration) -> Result<(), Failure> {
    let (port, _seen) = server(habit).await;
    asked(&format!("http://127.0.0.1:{port}/"), &means(timeout).0).await
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn answers_of_2xx_and_3xx_are_fine_and_others_are_errors() {
    for (answer, outcome) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Ok(())),
        ("HTTP/1.1 204 No Content\r\n\r\n", Ok(())),
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", Ok(())),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the connection ends", Ok(())),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Err(Failure::Status(404))),
        ("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", Err(Failure::Status(503))),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Err(Failure::Reset)),
        ("SSH-2.0-OpenSSH_9.9\r\n\r\n", Err(Failure::NotHttp)),
    ] {
        assert_eq!(asked_of(Habit::Says(answer), LONG).await, outcome, "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_or_stays_silent_is_told() {
    assert_eq!(asked_of(Habit::Closes, LONG).await, Err(Failure::Reset));
    assert_eq!(asked_of(Habit::Resets, LONG).await, Err(Failure::Reset));
    let moment = Duration::from_millis(30);
    assert_eq!(asked_of(Habit::StaysSilent, moment).await, Err(Failure::TimedOut));
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    assert_eq!(asked_of(Habit::SaysAndStays(half), moment).await, Err(Failure::TimedOut));
    let (_socket, port) = closed_port("127.0.0.1");
    let refused = asked(&format!("http://127.0.0.1:{port}/"), &means(LONG).0).await;
    assert_eq!(refused, Err(Failure::Refused));
    let nowhere = asked("http://name.that.leads.nowhere.invalid/", &means(LONG).0).await;
    assert_eq!(nowhere, Err(Failure::Unreachable));
}

#[tokio::test]
async fn no_more_is_read_of_an_answer_than_is_enough() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        first_line(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        // an answer without end, until nobody reads it any more
        while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
    });
    assert_eq!(asked(&format!("http://127.0.0.1:{port}/"), &means(LONG).0).await, Ok(()));
}

#[tokio::test]
async fn requests_follow_the_pod_at_hand() {
    let ok = Habit::Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (port, seen) = server(ok).await;
    let (means, pod) = means(LONG);
    let target = format!("pod-ip:{port}/healthz?a=b");
    assert_eq!(asked(&target, &means).await, Err(Failure::Unreachable), "no pod yet");
    let at = |ip: &str| PodAtHand { name: "db-0".to_owned(), ip: ip.parse().ok() };
    pod.send_replace(Some(at("none yet")));
    assert_eq!(asked(&target, &means).await, Err(Failure::Unreachable), "no address yet");
    pod.send_replace(Some(at("127.0.0.1")));
    assert_eq!(asked(&target, &means).await, Ok(()));
    assert_eq!(*seen.borrow(), "GET /healthz?a=b HTTP/1.1");
    // another address, at which nobody listens
    pod.send_replace(Some(at("127.0.0.2")));
    assert_eq!(asked(&target, &means).await, Err(Failure::Refused));
}

#[tokio::test]
async fn the_api_server_passes_requests_on_and_they_are_not_repeated() {
    let ok = Habit::Says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let (port, seen) = server(ok).await;
    let (mut means, pod) = means(LONG);
    let client = |port: u16| {
        let address: Uri = format!("http://127.0.0.1:{port}").parse().unwrap();
        Some((asking_once(kube::Config::new(address)).unwrap(), "shop".to_owned()))
    };
    assert_eq!(asked("service:web:80/", &means).await, Err(Failure::Unreachable));
    means.api_server = client(port);
    for (target, path) in [
        ("service:web:80/healthz?a=b", "services/web:80/proxy/healthz?a=b"),
        ("service:web", "services/web/proxy/"),
        ("service:https:web:admin/x", "services/https:web:admin/proxy/x"),
    ] {
        assert_eq!(asked(target, &means).await, Ok(()), "{target}");
        let line = format!("GET /api/v1/namespaces/shop/{path} HTTP/1.1");
        assert_eq!(*seen.borrow(), line);
    }
    assert_eq!(asked("pod:8080/", &means).await, Err(Failure::Unreachable), "no pod yet");
    pod.send_replace(Some(PodAtHand { name: "db-0".to_owned(), ip: None }));
    assert_eq!(asked("pod:https:8080/x", &means).await, Ok(()));
    let line = "GET /api/v1/namespaces/shop/pods/https:db-0:8080/proxy/x HTTP/1.1";
    assert_eq!(*seen.borrow(), line);
    let unavailable = "HTTP/1.1 503 No endpoints\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let (port, _seen) = server(Habit::Says(unavailable)).await;
    means.api_server = client(port);
    assert_eq!(asked("service:web:80/", &means).await, Err(Failure::Status(503)));
    let (_socket, port) = closed_port("127.0.0.1");
    means.api_server = client(port);
    assert_eq!(asked("service:web:80/", &means).await, Err(Failure::Refused));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_no_answer_unless_it_is_wanted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // a client that does not trust ends the handshake
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            first_line(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    });
    let (mut means, _pod) = means(LONG);
    let target = format!("https://127.0.0.1:{port}/");
    means.tls = Some(tls(true).unwrap());
    assert_eq!(asked(&target, &means).await, Ok(()));
    match tls(false) {
        Ok(tls) => {
            means.tls = Some(tls);
            assert_eq!(asked(&target, &means).await, Err(Failure::Tls));
        }
        // a machine that trusts nobody says so at the start
        Err(error) => assert!(error.to_string().to_lowercase().contains("certificate"), "{error}"),
    }
    let (port, _seen) = server(Habit::Closes).await;
    means.tls = Some(tls(true).unwrap());
    let closed = asked(&format!("https://127.0.0.1:{port}/"), &means).await;
    assert_eq!(closed, Err(Failure::Reset));
}
