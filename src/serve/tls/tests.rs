use std::fs;
use std::time::Duration;

use crate::certificate::testing::{Authority, Client, Folder, Pair, in_time, meet};
use crate::certificate::{IdentitySource, self_made};
use crate::serve::followed::Followed;
use crate::serve::followed::file_watch::Intervals;
use crate::service::health::Health;

use super::files::{KeyFiles, KeyFilesSource};
use super::testing::Served;
use super::*;

fn serves(key_material: &KeyMaterial, authority: &Authority) -> bool {
    meet(key_material.config(), &Client::of(&authority.pem()), "localhost").is_ok()
}

fn load(identity: &IdentitySource) -> Result<KeyMaterial, KeyMaterialError> {
    KeyMaterial::load(identity.load()?, None)
}

fn held(identity: Identity) -> KeyMaterial {
    KeyMaterial::load(identity, None).unwrap()
}

fn refusal(identity: &IdentitySource) -> String {
    load(identity).map(drop).unwrap_err().to_string()
}

#[test]
fn a_pair_of_files_is_served() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let mut served = Served::new(&authority.server().write(&folder), None);
    let key_material = served.in_force();
    assert!(serves(&key_material, &authority));
    assert!(!serves(&key_material, &Authority::new()));
    let leaf = key_material.leaf();
    assert_eq!(leaf.names, ["127.0.0.1", "::1", "localhost"]);
    assert_eq!(leaf.not_after, 64_060_588_800, "4000-01-01");
    assert_eq!(leaf.fingerprint.len(), 32 * 3 - 1);
    assert_eq!(served.reload(), Outcome::Unchanged);
}

#[test]
fn both_versions_and_both_protocols_are_spoken() {
    let (identity, authority) = self_made::make(&[]).unwrap();
    let key_material = held(identity);
    for protocol in [b"h2".as_slice(), b"http/1.1"] {
        for client in [Client::of(&authority), Client::of(&authority).old()] {
            let client = Client { protocol, ..client };
            let met = meet(key_material.config(), &client, "localhost").unwrap();
            assert_eq!(met.alpn_protocol(), Some(protocol));
            assert_eq!(met.protocol_version(), Some(client.version.version));
            assert_eq!(met.tls13_tickets_received(), 0);
        }
    }
}

#[test]
fn a_self_made_identity_is_for_this_machine_and_the_names_given() {
    let (identity, authority) =
        self_made::make(&["restraint.ops.svc".to_owned(), "localhost".to_owned()]).unwrap();
    let leaf = identity.leaf().clone();
    assert_eq!(leaf.names, ["127.0.0.1", "::1", "localhost", "restraint.ops.svc"]);
    assert_eq!(leaf.fault(leaf.not_before + 3_600), None);
    let key_material = held(identity);
    for name in &leaf.names {
        meet(key_material.config(), &Client::of(&authority), name).unwrap();
    }
    assert!(meet(key_material.config(), &Client::of(&authority), "elsewhere").is_err());
    let refused = self_made::make(&["näme".to_owned()]).map(|_| ()).unwrap_err();
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
    let key_material = load(&source).unwrap();
    let leaf = key_material.leaf();
    assert_eq!(leaf.fault(leaf.not_after), None);
    let fault = leaf.fault(leaf.not_after + 7).unwrap();
    assert!(fault.contains("expired 7 s ago"), "{fault}");
    let early = leaf.fault(leaf.not_before - 7).unwrap();
    assert!(early.contains("another 7 s"), "{early}");
    let nameless = authority.issue("server", &[], 4000).write(&folder);
    let key_material = load(&nameless).unwrap();
    let leaf = key_material.leaf();
    assert!(leaf.fault(leaf.not_after).unwrap().contains("subjectAltName"));
}

#[test]
fn half_a_rotation_is_refused_and_the_old_pair_stays() {
    let (folder, old, new) = (Folder::new(), Authority::new(), Authority::new());
    let mut served = Served::new(&old.server().write(&folder), None);
    let pair = new.server();
    let half = &pair.certificate[..pair.certificate.len() / 2];
    for step in [half, &pair.certificate] {
        folder.write("tls.crt", step);
        assert_eq!(served.reload(), Outcome::Refused);
        assert!(serves(&served.in_force(), &old));
    }
    folder.write("tls.key", &pair.key);
    assert_eq!(served.reload(), Outcome::Swapped);
    assert!(serves(&served.in_force(), &new));
    assert_eq!(served.reload(), Outcome::Unchanged);
}

#[tokio::test]
async fn a_volume_is_followed_through_its_swaps() {
    let (folder, old, new) = (Folder::new(), Authority::new(), Authority::new());
    let pair = old.server();
    let publish = |certificate: &str, key: &str| {
        folder.publish(&[("tls.crt", certificate), ("tls.key", key)]);
    };
    publish(&pair.certificate, &pair.key);
    let identity =
        IdentitySource::Files { certificate: folder.path("tls.crt"), key: folder.path("tls.key") };
    let files = KeyFiles { identity, clients: None };
    let in_force = Arc::new(Followed::new(files.load().unwrap()));
    let health = Arc::new(Health::default());
    let intervals =
        Intervals { poll: Duration::from_secs(3_600), settle: Duration::from_millis(20) };
    let source = KeyFilesSource::new(files, intervals, Arc::new(Metrics::new()));
    let task = tokio::spawn(Arc::clone(&in_force).follow(source, Arc::clone(&health)));
    let told = async |expected: fn(&str) -> bool| {
        in_time(async {
            while !expected(&health.report().1) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    };
    told(|report| report.contains("certificate: for 127.0.0.1, ::1, localhost")).await;

    let next = new.server();
    publish(&next.certificate, &pair.key);
    told(|report| report.contains("does not belong to the first certificate")).await;
    assert!(serves(&in_force.load(), &old));

    publish(&next.certificate, &next.key);
    told(|report| !report.contains("refused")).await;
    assert!(serves(&in_force.load(), &new));
    task.abort();
}
