//! What a script leaves on disk, and what becomes of it when the script runs again over what it
//! left.
//!
//! Only what is certain: commands that run in any case, with targets that are known. A script that
//! removes anything prepares for its next run, so nothing after that counts.

use super::options::Arguments;
use super::{Command, Script, StatusUse, Word, absolute, base_name};

/// What a second run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RerunEffect {
    /// It writes the same again over whatever is there by then.
    Overwrites,
    /// It adds the same once more.
    Appends,
    /// It fails, and the script with it.
    Fails,
}

/// Something a script leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedPath {
    /// What a second run does with it.
    pub effect: RerunEffect,
    /// The program, by the last part of its path; the shell's own redirections have none.
    pub program: Option<String>,
    /// An absolute path.
    pub path: String,
}

/// Programs whose success says nothing about what is there already: what follows them after `&&`
/// runs the first time.
const ACTIONS: [&str; 22] = [
    "apk", "apt", "apt-get", "cd", "chmod", "chown", "cp", "curl", "dnf", "echo", "git", "ln",
    "mkdir", "mv", "pip", "set", "sleep", "tar", "touch", "unzip", "wget", "yum",
];

/// Programs that make room for what is written next.
const CLEANERS: [&str; 6] = ["find", "mktemp", "rm", "rmdir", "truncate", "unlink"];

/// What `script` leaves, in the order of the text.
pub fn changed_paths(script: &Script) -> Vec<ChangedPath> {
    let mut left = Vec::new();
    let mut reached = true;
    for (index, command) in script.commands.iter().enumerate() {
        let program = command.program().unwrap_or_default();
        if CLEANERS.contains(&program) {
            break;
        }
        let sure = command.context.inside.is_none() && (!command.context.conditional || reached);
        if sure {
            let last = script.commands.len() == index.saturating_add(1);
            let status = command.context.status;
            let decides = status == StatusUse::Required
                || (status == StatusUse::Unknown && last && !command.context.background);
            left.extend(redirected(command));
            left.extend(written(command, program, decides));
        }
        reached =
            sure && command.context.status == StatusUse::Required && ACTIONS.contains(&program);
    }
    left
}

/// The files that the command's output goes to.
fn redirected(command: &Command) -> impl Iterator<Item = ChangedPath> {
    command.redirections.iter().filter_map(|redirection| {
        let operator = redirection
            .operator
            .trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '&');
        let effect = match operator {
            ">" | ">|" => RerunEffect::Overwrites,
            ">>" => RerunEffect::Appends,
            _ => return None,
        };
        changed(command, effect, None, redirection.target.known()?)
    })
}

/// What the program itself leaves.
fn written(command: &Command, program: &str, decides: bool) -> Vec<ChangedPath> {
    let (program, arguments) = subcommand(program, command.arguments());
    let Some(options) = Arguments::of_listed(program, arguments) else { return Vec::new() };
    let failing = decides.then_some(RerunEffect::Fails);
    let name = command.program();
    let all = |effect: Option<RerunEffect>, paths: &[&str]| {
        let each = paths.iter().filter_map(|path| changed(command, effect?, name, path));
        each.collect::<Vec<_>>()
    };
    let one = |effect, path: Option<&str>| all(effect, path.as_slice());
    let overwritten = Some(RerunEffect::Overwrites);
    match program {
        "cp" | "rsync"
            if !options.may_have("no-clobber")
                && !options.may_have("update")
                && !options.may_have("target-directory") =>
        {
            one(overwritten, last(&options.operands))
        }
        "mv" if !options.may_have("no-clobber") && !options.may_have("target-directory") => {
            let mut paths = options.known_operands();
            let target = paths.pop();
            [one(overwritten, target), all(failing, &paths)].concat()
        }
        "touch" if !options.may_have("no-create") => all(overwritten, &options.known_operands()),
        "tee" => {
            let appends = options.may_have("append");
            let effect = if appends { RerunEffect::Appends } else { RerunEffect::Overwrites };
            all(Some(effect), &options.known_operands())
        }
        "mkdir" | "mkfifo" | "mknod" if !options.may_have("parents") => {
            all(failing, &options.known_operands())
        }
        "ln" if !options.may_have("force") && options.known_operands().len() > 1 => {
            one(failing, last(&options.operands))
        }
        "git_clone" => one(failing.or(overwritten), cloned_folder(&options)),
        "initdb" => one(failing, options.value("pgdata")),
        "tar" if options.has("extract") || is_bundle_with(arguments, 'x') => {
            one(overwritten, options.value("directory").or(Some(".")))
        }
        "unzip" => one(overwritten, options.value("d")),
        "wget" => one(overwritten, options.value("output-document").filter(is_file)),
        "curl" => one(overwritten, options.value("output").filter(is_file)),
        "dd" => {
            let mut known = arguments.iter().filter_map(Word::known);
            one(overwritten, known.find_map(|word| word.strip_prefix("of=")))
        }
        _ => Vec::new(),
    }
}

/// The program with its subcommand, as the table of options has it, and what follows.
fn subcommand<'p, 'c>(program: &'p str, arguments: &'c [Word]) -> (&'p str, &'c [Word]) {
    match (program, arguments.split_first()) {
        ("git", Some((verb, rest))) if verb.known() == Some("clone") => ("git_clone", rest),
        _ => (program, arguments),
    }
}

/// The folder that `git clone` makes.
fn cloned_folder<'a>(options: &Arguments<'a>) -> Option<&'a str> {
    match options.known_operands().as_slice() {
        [_, folder] => Some(*folder),
        [address] => Some(base_name(address.trim_end_matches('/')))
            .map(|name| name.strip_suffix(".git").unwrap_or(name)),
        _ => None,
    }
}

/// The last of several operands, which is a target.
fn last<'a>(operands: &[&'a Word]) -> Option<&'a str> {
    operands.last().filter(|_| operands.len() > 1)?.known()
}

/// Whether the first word is letters in a row without a dash, this among them: `tar xzf`.
fn is_bundle_with(arguments: &[Word], letter: char) -> bool {
    let first = arguments.first().and_then(Word::known);
    first.is_some_and(|word| !word.starts_with('-') && word.contains(letter))
}

/// Whether what is downloaded goes to a file, not to the standard output.
fn is_file(path: &&str) -> bool {
    *path != "-"
}

fn changed(
    command: &Command,
    effect: RerunEffect,
    program: Option<&str>,
    path: &str,
) -> Option<ChangedPath> {
    let path = absolute(command.directory.as_deref(), path)?;
    Some(ChangedPath { effect, program: program.map(str::to_owned), path })
}

#[cfg(test)]
mod tests {
    use super::RerunEffect::{Appends, Fails, Overwrites};
    use super::*;
    use crate::shell::{Invocation, inline};

    fn left(text: &str) -> Vec<(RerunEffect, String)> {
        let script =
            inline(&Invocation { command: &["sh", "-c", text], ..Invocation::default() }).unwrap();
        changed_paths(&script).into_iter().map(|path| (path.effect, path.path)).collect()
    }

    #[test]
    fn what_fails_the_second_time() {
        for (text, path) in [
            ("mkdir /work/data", "/work/data"),
            ("set -e; mkdir -m 700 /work/data; echo done", "/work/data"),
            ("mkdir /work/data && cp /a /opt/", "/work/data"),
            ("ln -s /opt/app /work/app", "/work/app"),
            ("git clone https://example.com/shop/site.git /work/site", "/work/site"),
            (
                "cd /work && git clone --depth 1 -b main https://example.com/shop/site.git",
                "/work/site",
            ),
            ("apk add git && git clone https://example.com/shop/site /work", "/work"),
            ("initdb -D /work/db", "/work/db"),
            ("set -e\nmv /work/a /opt/a\necho", "/work/a"),
        ] {
            assert!(left(text).contains(&(Fails, path.to_owned())), "{text}: {:?}", left(text));
        }
    }

    #[test]
    fn what_does_not_fail() {
        for text in [
            "mkdir -p /work/data",
            "mkdir -pv /work/data",
            "mkdir /work/data || true",
            "mkdir /work/data; cp /a /work/data/",
            "mkdir $DIR",
            "[ -d /work/data ] || mkdir /work/data",
            "test -e /work/data || git clone https://example.com/a /work/data",
            "if [ ! -d /work/data ]; then mkdir /work/data; fi",
            "rm -rf /work/data && mkdir /work/data",
            "ln -sf /opt/app /work/app",
            "ln -sfn /opt/app /work/app",
            "for d in a b; do mkdir /work/$d; done",
            "git -C /work pull",
            "git clone https://example.com/a /work || git -C /work pull",
            "useradd app",
        ] {
            assert!(
                left(text).iter().all(|(effect, _)| *effect != Fails),
                "{text}: {:?}",
                left(text)
            );
        }
    }

    #[test]
    fn what_is_written() {
        for (text, effect, path) in [
            ("echo a >> /work/list", Appends, "/work/list"),
            ("echo a | tee -a /work/list", Appends, "/work/list"),
            ("echo a > /work/a", Overwrites, "/work/a"),
            ("cp -r /app/. /work", Overwrites, "/work"),
            ("cp /app/*.yaml /work/", Overwrites, "/work"),
            ("mv /app/a /work/a", Overwrites, "/work/a"),
            ("touch /work/ready", Overwrites, "/work/ready"),
            ("tar -xzf /a.tgz -C /work", Overwrites, "/work"),
            ("cd /work; tar xf /a.tar", Overwrites, "/work"),
            ("wget -qO /work/a https://example.com/a", Overwrites, "/work/a"),
            ("curl -sSL -o /work/a https://example.com/a", Overwrites, "/work/a"),
            ("curl https://example.com/a | tar -xz --directory=/work", Overwrites, "/work"),
            ("dd if=/dev/zero of=/work/a", Overwrites, "/work/a"),
        ] {
            assert!(left(text).contains(&(effect, path.to_owned())), "{text}: {:?}", left(text));
        }
    }

    #[test]
    fn what_leaves_nothing_or_cannot_be_told() {
        for text in [
            "echo a 2>&1",
            "cat < /work/a",
            "cp -n /app/a /work/a",
            "cp /app/a $TARGET",
            "wget -qO- https://example.com/a",
            "tar -czf - /work",
            "touch -c /work/a",
            "chmod 700 /work",
            "true || touch /work/a",
        ] {
            assert!(left(text).is_empty(), "{text}: {:?}", left(text));
        }
    }
}
