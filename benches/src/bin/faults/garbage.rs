//! Bodies that are no reviews, while reviews go on.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;

use crate::outcome::{Outcome, mebibytes, percentiles};
use crate::peer::{CREATE, Caller, Steady};
use crate::server::Server;

pub(crate) async fn run(program: &Path, outcome: &mut Outcome) -> anyhow::Result<()> {
    let server = Server::start(program, &[])?;
    server.ready().await?;
    let (caller, hostile) = (Caller::of(server.address), Caller::of(server.address));
    let text = serde_json::from_slice::<serde_json::Value>(CREATE)?.to_string();
    let planted = |after: &str, what: String| {
        let text =
            text.replacen("\"metadata\":{", "\"metadata\":{\"annotations\":{\"a\":\"b\"},", 1);
        let (head, tail) = text
            .split_once(after)
            .with_context(|| format!("the recorded review has no {after}"))?;
        anyhow::Ok([head, after, &what, tail].concat().into_bytes())
    };
    let resident = server.resident()?;
    let bodies: [(&str, Vec<u8>); 9] = [
        ("8 MiB of spaces", vec![b' '; 8 << 20]),
        ("8 MiB of brackets", vec![b'['; 8 << 20]),
        ("20 MiB and a byte", vec![b' '; (20 << 20) + 1]),
        ("half a review", CREATE.iter().copied().take(CREATE.len() / 2).collect()),
        (
            "nested 100,000 deep",
            format!(
                r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{}"#,
                r#"{"object":"#.repeat(100_000)
            )
            .into_bytes(),
        ),
        ("a field twice", planted("\"spec\":", "{},\"spec\":".to_owned())?),
        ("not UTF-8", [&b"\"\xff\xfe\""[..], CREATE].concat()),
        ("a million empty containers", planted("\"containers\":[", "{},".repeat(1_000_000))?),
        (
            "400,000 annotations",
            planted(
                "\"annotations\":{",
                (0..400_000).map(|number| format!("\"k{number}\":\"v\",")).collect(),
            )?,
        ),
    ];
    let steady = Steady::begin(&caller, Duration::from_millis(10));
    let mut most = resident;
    for (name, body) in bodies {
        let body = Bytes::from(body);
        let begun = Instant::now();
        let answers: Vec<_> = {
            let mut answers = Vec::new();
            for _ in 0..10 {
                answers.push(match hostile.ask("/mutate", &body).await {
                    Ok((status, _)) => status.as_u16().to_string(),
                    // the answer may be lost where the server closes while the peer still sends
                    Err(_) => "closed".to_owned(),
                });
            }
            answers.dedup();
            answers
        };
        most = most.max(server.resident()?);
        outcome.figure(
            format!("{name}, ten times"),
            format!(
                "{} in {:.1} ms each",
                answers.join(", "),
                begun.elapsed().as_secs_f64() * 100.0
            ),
        );
        outcome.promise(
            answers.iter().all(|answer| ["400", "413", "closed", "200"].contains(&answer.as_str())),
            format!("{name}: {answers:?}"),
        );
    }
    let mut asked = steady.end().await?;
    outcome.figure("reviews meanwhile", percentiles(&mut asked.latencies));
    outcome.promise(
        asked.failed + asked.shed.len() == 0,
        format!("all reviews are served meanwhile: {:?}", asked.errors),
    );
    outcome.figure(
        "resident before, at most seen, after",
        format!("{}, {}, {}", mebibytes(resident), mebibytes(most), mebibytes(server.resident()?)),
    );
    outcome.promise(most < 192 << 20, "memory stays below the chart's limit");
    Ok(())
}
