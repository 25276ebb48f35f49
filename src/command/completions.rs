//! `restraint completions` and `restraint man`: made of the commands themselves.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::terminal;

/// For which shell.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Where manual pages go.
#[derive(Clone, Debug, Args)]
pub struct ManOptions {
    /// Write a page for each command into this folder, which is created if it is not there
    /// [default: the page of restraint itself, on standard output].
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Prints what completes the words of `command` in a shell.
///
/// # Errors
///
/// Where it cannot be printed.
pub fn run(options: &Options, mut command: Command) -> anyhow::Result<ExitCode> {
    let name = command.get_bin_name().unwrap_or("restraint").to_owned();
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    terminal::print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual pages of `command`.
///
/// # Errors
///
/// Where they cannot be written.
pub fn man(options: &ManOptions, command: Command) -> anyhow::Result<ExitCode> {
    match &options.output {
        None => {
            let mut page = Vec::new();
            Man::new(command).render(&mut page)?;
            terminal::print(&String::from_utf8(page)?)?;
        }
        Some(folder) => std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .with_context(|| {
                format!("manual pages cannot be written into {:?}", folder.display())
            })?,
    }
    Ok(ExitCode::SUCCESS)
}
