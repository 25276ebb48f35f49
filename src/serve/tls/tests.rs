use std::fs;

use tokio::sync::mpsc;

use crate::certificate::SelfMade;
use crate::certificate::testing::{Authority, Client, Folder, Pair, in_time, meet};

use super::*;

fn served(certificates: &Certificates, authority: &Authority) -> bool {
    meet(certificates.config(), &Client::of(&authority.pem()), "localhost").is_ok()
}

fn refusal(source: &IdentitySource) -> String {
    Certificates::load(source.clone(), None).map(|_| ()).unwrap_err().to_string()
}

fn pace() -> Pace {
    Pace {
        poll: std::time::Duration::from_secs(3_600),
        settle: std::time::Duration::from_millis(20),
    }
}

#[test]
fn a_pair_of_files_is_served() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let certificates = Certificates::load(authority.server().write(&folder), None).unwrap();
    assert!(served(&certificates, &authority));
    assert!(!served(&certificates, &Authority::new()));
    let leaf = certificates.leaf();
    assert_eq!(leaf.names, ["127.0.0.1", "::1", "localhost"]);
    assert_eq!(leaf.not_after, 64_060_588_800, "4000-01-01");
    assert_eq!(leaf.fingerprint.len(), 32 * 3 - 1);
    assert!(matches!(certificates.reload(), Reload::Unchanged));
}

#[test]
fn both_versions_and_both_protocols_are_spoken() {
    let made = SelfMade::make(&[]).unwrap();
    let certificates = Certificates::load(IdentitySource::Held(made.identity), None).unwrap();
    for protocol in [b"h2".as_slice(), b"http/1.1"] {
        for client in [Client::of(&made.authority), Client::of(&made.authority).old()] {
            let client = Client { protocol, ..client };
            let met = meet(certificates.config(), &client, "localhost").unwrap();
            assert_eq!(met.alpn_protocol(), Some(protocol));
            assert_eq!(met.protocol_version(), Some(client.version.version));
            assert_eq!(met.tls13_tickets_received(), 0);
        }
    }
}

#[test]
fn a_self_made_identity_is_for_this_machine_and_the_names_given() {
    let made = SelfMade::make(&["restraint.ops.svc".to_owned(), "localhost".to_owned()]).unwrap();
    let leaf = made.identity.leaf().clone();
    assert_eq!(leaf.names, ["127.0.0.1", "::1", "localhost", "restraint.ops.svc"]);
    assert_eq!(leaf.fault(leaf.not_before + 3_600), None);
    let certificates = Certificates::load(IdentitySource::Held(made.identity), None).unwrap();
    for name in &leaf.names {
        meet(certificates.config(), &Client::of(&made.authority), name).unwrap();
    }
    assert!(meet(certificates.config(), &Client::of(&made.authority), "elsewhere").is_err());
    let refused = SelfMade::make(&["näme".to_owned()]).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("\"näme\""), "{refused}");
}

#[test]
fn a_pair_that_does_not_match_is_refused() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let source = authority.server().write(&folder);
    folder.write("tls.key", &authority.server().key);
    let refusal = refusal(&source);
    assert!(refusal.contains("does not belong"), "{refusal}");
    assert!(refusal.contains("tls.crt\"") && refusal.contains("tls.key\""), "{refusal}");
}

#[test]
fn a_chain_that_does_not_begin_with_the_leaf_is_refused() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.server();
    let upside_down = Pair { certificate: authority.pem() + &pair.certificate, ..pair };
    let refusal = refusal(&upside_down.write(&folder));
    assert!(refusal.contains("put the leaf first"), "{refusal}");
}

#[test]
fn refusals_name_the_file_and_what_it_lacks() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let pair = authority.server();
    let source = pair.write(&folder);
    let with = |file: &str, text: &str| {
        pair.write(&folder);
        folder.write(file, text);
        refusal(&source)
    };
    let encrypted = pair.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let cut = &pair.certificate[..pair.certificate.len() / 2];
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (file, text, expected) in [
        ("tls.crt", "", "no certificate in"),
        ("tls.crt", pair.key.as_str(), "no certificate in"),
        ("tls.crt", cut, "damaged certificate in"),
        ("tls.crt", garbage, "damaged certificate in"),
        ("tls.key", "", "no key in"),
        ("tls.key", encrypted.as_str(), "not encrypted"),
    ] {
        let refusal = with(file, text);
        assert!(refusal.contains(expected), "{refusal}");
        assert!(refusal.contains(&format!("{file}\"")), "{refusal}");
    }
    fs::remove_file(folder.path("tls.key")).unwrap();
    let refusal = refusal(&source);
    assert!(refusal.contains("cannot read key") && refusal.contains("tls.key\""), "{refusal}");
}

#[test]
fn an_expired_certificate_is_served_and_reported() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let source = authority.issue("server", &["localhost"], 2001).write(&folder);
    let certificates = Certificates::load(source, None).unwrap();
    let leaf = certificates.leaf();
    assert_eq!(leaf.fault(leaf.not_after), None);
    let fault = leaf.fault(leaf.not_after + 7).unwrap();
    assert!(fault.contains("expired 7 s ago"), "{fault}");
    let early = leaf.fault(leaf.not_before - 7).unwrap();
    assert!(early.contains("another 7 s"), "{early}");
    let nameless = authority.issue("server", &[], 4000).write(&folder);
    let leaf = Certificates::load(nameless, None).unwrap().leaf();
    assert!(leaf.fault(leaf.not_after).unwrap().contains("subjectAltName"));
}

#[test]
fn half_a_rotation_is_refused_and_the_old_pair_stays() {
    let (folder, old, new) = (Folder::new(), Authority::new(), Authority::new());
    let certificates = Certificates::load(old.server().write(&folder), None).unwrap();
    let pair = new.server();
    let half = &pair.certificate[..pair.certificate.len() / 2];
    for step in [half, &pair.certificate] {
        folder.write("tls.crt", step);
        assert!(matches!(certificates.reload(), Reload::Refused(_)));
        assert!(served(&certificates, &old));
    }
    folder.write("tls.key", &pair.key);
    assert!(matches!(certificates.reload(), Reload::Swapped));
    assert!(served(&certificates, &new));
    assert!(matches!(certificates.reload(), Reload::Unchanged));
}

#[test]
fn an_identity_in_memory_can_be_replaced() {
    let [first, second] = [(); 2].map(|()| SelfMade::make(&[]).unwrap());
    let certificates =
        Certificates::load(IdentitySource::Held(first.identity.clone()), None).unwrap();
    assert!(matches!(certificates.replace(first.identity), Reload::Unchanged));
    assert!(matches!(certificates.replace(second.identity), Reload::Swapped));
    assert!(matches!(certificates.reload(), Reload::Unchanged));
    meet(certificates.config(), &Client::of(&second.authority), "localhost").unwrap();
}

#[tokio::test]
async fn a_volume_is_followed_through_its_swaps() {
    let (folder, old, new) = (Folder::new(), Authority::new(), Authority::new());
    let pair = old.server();
    let publish = |certificate: &str, key: &str| {
        folder.publish(&[("tls.crt", certificate), ("tls.key", key)]);
    };
    publish(&pair.certificate, &pair.key);
    let source =
        IdentitySource::Files { certificate: folder.path("tls.crt"), key: folder.path("tls.key") };
    let certificates = Arc::new(Certificates::load(source, None).unwrap());
    let (report, mut reports) = mpsc::unbounded_channel();
    let task = tokio::spawn(Arc::clone(&certificates).follow(pace(), move |outcome| {
        let _ = report.send(format!("{outcome:?}"));
    }));
    // One change may be seen in two looks, so other reports may come before.
    let mut reported = async |expected: &str| {
        in_time(async { while !reports.recv().await.unwrap().starts_with(expected) {} }).await;
    };
    reported("Unchanged").await;

    let next = new.server();
    publish(&next.certificate, &pair.key);
    reported("Refused(Mismatched").await;
    assert!(served(&certificates, &old));

    publish(&next.certificate, &next.key);
    reported("Swapped").await;
    assert!(served(&certificates, &new));

    task.abort();
    in_time(async { while reports.recv().await.is_some() {} }).await;
}
