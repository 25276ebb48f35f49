//! `restraint certs`: certificates for a laptop.

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

/// What to do with certificates.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with certificates.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Make a serving certificate for this machine, with an authority of its own.
    ///
    /// Writes ca.crt, tls.crt and tls.key, and prints the flags of `restraint serve` and the
    /// caBundle that go with them. The authority's key is thrown away. In a cluster let the service
    /// keep its own: `restraint serve --tls self`.
    Issue(Issue),
}

/// Which certificate to make.
#[derive(Clone, Debug, Args)]
pub struct Issue {
    /// Folder for the files; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// A DNS name or address the certificate is for, beside localhost, 127.0.0.1 and ::1; may be
    /// repeated.
    #[arg(long = "name", value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,

    /// Days it is valid.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub days: u16,

    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
}

/// Makes a certificate.
///
/// # Errors
///
/// Where a file is there already or cannot be written, or a name is none.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let Command::Issue(issue) = &options.command;
    let text = issue.run()?;
    let _ = io::stdout().write_all(text.as_bytes()); // nobody may be reading
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
            .with_context(|| format!("folder \"{}\" cannot be made", self.out.display()))?;
        let files = [
            (&key_path, &issued.key, 0o600),
            (&certificate_path, &issued.certificate, 0o644),
            (&authority_path, &authority, 0o644),
        ];
        if let Some((path, ..)) =
            files.iter().find(|(path, ..)| !self.force && path.symlink_metadata().is_ok())
        {
            bail!("\"{}\" is there already; --force replaces it", path.display());
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

/// Writes a file so that it is there whole or not at all. Without `force` one that is there already
/// stays.
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
