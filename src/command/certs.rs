//! `restraint certs`: certificates for local use.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use jiff::SignedDuration;

use crate::certificate::self_made;
use crate::terminal;

/// What to do with certificates.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// What to do with certificates.
#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Create a serving certificate for this machine, and the authority that signs it.
    ///
    /// Writes ca.crt, tls.crt and tls.key, and prints the matching flags of `restraint serve` and the
    /// caBundle. The authority's key is not kept. In a cluster let the service manage its own
    /// certificate: `restraint serve --tls self`.
    Issue(Issue),
}

/// Which certificate to create.
#[derive(Clone, Debug, Args)]
struct Issue {
    /// Folder for the files; created if it does not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// A DNS name or address the certificate is for, besides localhost, 127.0.0.1 and ::1; may be
    /// repeated.
    #[arg(long = "name", value_name = "NAME", value_delimiter = ',')]
    names: Vec<String>,

    /// How many days it is valid.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,

    /// Replace existing files.
    #[arg(long)]
    force: bool,
}

/// Creates a certificate.
///
/// # Errors
///
/// Where a file is there already or cannot be written, or a name is none.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let Command::Issue(issue) = &options.command;
    let text = issue.run()?;
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

impl Issue {
    fn run(&self) -> anyhow::Result<String> {
        let (authority, issued) = self_made::issue(
            &self.names,
            SignedDuration::from_hours(i64::from(self.days).saturating_mul(24)),
        )?;
        let [authority_path, certificate_path, key_path] =
            ["ca.crt", "tls.crt", "tls.key"].map(|name| self.out.join(name));
        fs::create_dir_all(&self.out)
            .with_context(|| format!("folder \"{}\" cannot be created", self.out.display()))?;
        let files = [
            (&key_path, &issued.key, 0o600),
            (&certificate_path, &issued.certificate, 0o644),
            (&authority_path, &authority, 0o644),
        ];
        if let Some((path, ..)) =
            files.iter().find(|(path, ..)| !self.force && path.symlink_metadata().is_ok())
        {
            bail!("\"{}\" exists already; --force replaces it", path.display());
        }
        for (path, text, mode) in files {
            write(path, text, mode, self.force)
                .with_context(|| format!("\"{}\" cannot be written", path.display()))?;
        }
        let quoted = |path: &Path| {
            shlex::try_quote(&path.to_string_lossy())
                .map_or_else(|_| path.display().to_string(), |path| path.into_owned())
        };
        Ok(format!(
            "flags: --tls-cert {} --tls-key {}\ncaBundle: {}\n",
            quoted(&certificate_path),
            quoted(&key_path),
            STANDARD.encode(&authority)
        ))
    }
}

/// Writes a file completely or not at all. Without `force` an existing one stays.
fn write(path: &Path, text: &str, mode: u32, force: bool) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let written =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside).and_then(
            |mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            },
        );
    // a link, unlike a new name, does not replace
    let shown = written.and_then(|()| {
        if force { fs::rename(&beside, path) } else { fs::hard_link(&beside, path) }
    });
    let _ = fs::remove_file(&beside); // gone already where it was renamed
    shown
}
