//! What a script leaves on disk, and what becomes of it when the script runs again over what it
//! left.
//!
//! Only what is certain: commands that run in any case, with targets that are known. A script that
//! removes anything prepares for its next run, so nothing after that counts.

use super::{Command, Script, Status, Word, absolute, base_name};

/// What a second run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It writes the same again over whatever is there by then.
    Writes,
    /// It adds the same once more.
    Appends,
    /// It fails, and the script with it.
    Fails,
}

/// Something a script leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What a second run does with it.
    pub effect: Effect,
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
pub fn leftovers(script: &Script) -> Vec<Leftover> {
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
            let decides = status == Status::Required
                || (status == Status::Unknown && last && !command.context.background);
            left.extend(redirected(command));
            left.extend(written(command, program, decides));
        }
        reached = sure && command.context.status == Status::Required && ACTIONS.contains(&program);
    }
    left
}

/// The files that the command's output goes to.
fn redirected(command: &Command) -> impl Iterator<Item = Leftover> {
    command.redirections.iter().filter_map(|redirection| {
        let operator = redirection
            .operator
            .trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '&');
        let effect = match operator {
            ">" | ">|" => Effect::Writes,
            ">>" => Effect::Appends,
            _ => return None,
        };
        leftover(command, effect, None, redirection.target.known()?)
    })
}

/// What the program itself leaves.
fn written(command: &Command, program: &str, decides: bool) -> Vec<Leftover> {
    let arguments = Arguments(command.arguments());
    let failing = |effect| if decides { Some(Effect::Fails) } else { effect };
    let one = |effect: Option<Effect>, path: Option<&str>| {
        let found = effect
            .zip(path)
            .and_then(|(effect, path)| leftover(command, effect, Some(program), path));
        found.into_iter().collect::<Vec<_>>()
    };
    match program {
        "cp" | "rsync"
            if !arguments.have('n', "--no-clobber")
                && !arguments.have('u', "--update")
                && !arguments.have('t', "--target-directory") =>
        {
            one(Some(Effect::Writes), arguments.last())
        }
        "mv" if !arguments.have('n', "--no-clobber")
            && !arguments.have('t', "--target-directory") =>
        {
            let mut paths = arguments.operands(&[]);
            let target = paths.pop();
            let gone = paths.into_iter().flat_map(|path| one(failing(None), Some(path)));
            one(Some(Effect::Writes), target).into_iter().chain(gone).collect()
        }
        "touch" if !arguments.have('c', "--no-create") => arguments
            .operands(&["-d", "-t", "-r"])
            .into_iter()
            .flat_map(|path| one(Some(Effect::Writes), Some(path)))
            .collect(),
        "tee" => {
            let effect =
                if arguments.have('a', "--append") { Effect::Appends } else { Effect::Writes };
            arguments
                .operands(&[])
                .into_iter()
                .flat_map(|path| one(Some(effect), Some(path)))
                .collect()
        }
        "mkdir" | "mkfifo" | "mknod" if !arguments.have('p', "--parents") => arguments
            .operands(&["-m", "--mode"])
            .into_iter()
            .flat_map(|path| one(failing(None), Some(path)))
            .collect(),
        "ln" if !arguments.have('f', "--force") && arguments.operands(&[]).len() > 1 => {
            one(failing(None), arguments.last())
        }
        "git" if arguments.first() == Some("clone") => {
            const VALUED: [&str; 10] = [
                "-b", "--branch", "--depth", "-o", "--origin", "-c", "--config", "-j", "--jobs",
                "--filter",
            ];
            let operands = arguments.operands(&VALUED);
            let folder = match operands.as_slice() {
                [_, _, folder] => Some(*folder),
                [_, address] => Some(base_name(address.trim_end_matches('/')))
                    .map(|name| name.strip_suffix(".git").unwrap_or(name)),
                _ => None,
            };
            one(failing(Some(Effect::Writes)), folder)
        }
        "initdb" => one(failing(None), arguments.value(&["-D", "--pgdata"])),
        "tar" if arguments.extract() => {
            one(Some(Effect::Writes), arguments.value(&["-C", "--directory"]).or(Some(".")))
        }
        "unzip" => one(Some(Effect::Writes), arguments.value(&["-d"])),
        "wget" => one(Some(Effect::Writes), arguments.clustered('O', "--output-document")),
        "curl" => one(Some(Effect::Writes), arguments.clustered('o', "--output")),
        "dd" => {
            one(Some(Effect::Writes), arguments.known().find_map(|word| word.strip_prefix("of=")))
        }
        _ => Vec::new(),
    }
}

fn leftover(
    command: &Command,
    effect: Effect,
    program: Option<&str>,
    path: &str,
) -> Option<Leftover> {
    let path = absolute(command.directory.as_deref(), path)?;
    Some(Leftover { effect, program: program.map(str::to_owned), path })
}

/// The words after a program.
#[derive(Clone, Copy, Debug)]
struct Arguments<'c>(&'c [Word]);

impl<'c> Arguments<'c> {
    fn known(self) -> impl Iterator<Item = &'c str> {
        self.0.iter().filter_map(Word::known)
    }

    fn first(self) -> Option<&'c str> {
        self.0.first().and_then(Word::known)
    }

    /// Whether an option is there, alone or among others: `-p`, `-pv`, `--parents`. What is not
    /// known may be it.
    fn have(self, letter: char, long: &str) -> bool {
        self.0.iter().any(|word| match word.known() {
            Some(text) if text.starts_with("--") => text.split('=').next() == Some(long),
            Some(text) => text.strip_prefix('-').is_some_and(|letters| letters.contains(letter)),
            None => word.prefix().is_empty() || word.prefix().starts_with('-'),
        })
    }

    /// The words that are no options, nor the values of those named; none where a word is not
    /// known.
    fn operands(self, valued: &[&str]) -> Vec<&'c str> {
        let words: Vec<&str> = self.known().collect();
        if words.len() != self.0.len() {
            return Vec::new();
        }
        let mut value = false;
        words
            .into_iter()
            .filter(|word| {
                !std::mem::replace(&mut value, valued.contains(word)) && !word.starts_with('-')
            })
            .collect()
    }

    /// The last word, which is no option.
    fn last(self) -> Option<&'c str> {
        self.0
            .last()
            .and_then(Word::known)
            .filter(|word| !word.starts_with('-') && self.0.len() > 1)
    }

    /// The value of an option: the next word, or what follows `=`.
    fn value(self, names: &[&str]) -> Option<&'c str> {
        let next = self
            .0
            .iter()
            .zip(self.0.iter().skip(1))
            .find(|(word, _)| word.known().is_some_and(|word| names.contains(&word)));
        let assigned = || {
            self.known().find_map(|word| {
                word.split_once('=')
                    .filter(|(name, _)| names.contains(name))
                    .map(|(_, value)| value)
            })
        };
        next.and_then(|(_, value)| value.known()).or_else(assigned)
    }

    /// The value of an option that may end a row of others: `-O FILE`, `-qO FILE`.
    fn clustered(self, letter: char, long: &str) -> Option<&'c str> {
        let ends =
            |word: &str| word.starts_with('-') && !word.starts_with("--") && word.ends_with(letter);
        let next = self
            .0
            .iter()
            .zip(self.0.iter().skip(1))
            .find(|(word, _)| word.known().is_some_and(ends));
        next.and_then(|(_, value)| value.known())
            .or_else(|| self.value(&[long]))
            .filter(|value| *value != "-")
    }

    /// Whether `tar` is to extract: `-xzf`, `xzf`, `--extract`.
    fn extract(self) -> bool {
        let first = self.first().is_some_and(|word| {
            !word.starts_with("--") && word.trim_start_matches('-').contains('x')
        });
        first || self.known().any(|word| matches!(word, "-x" | "--extract" | "--get"))
    }
}

#[cfg(test)]
mod tests {
    use super::Effect::{Appends, Fails, Writes};
    use super::*;
    use crate::shell::{Invocation, inline};

    fn left(text: &str) -> Vec<(Effect, String)> {
        let script =
            inline(&Invocation { command: &["sh", "-c", text], ..Invocation::default() }).unwrap();
        leftovers(&script).into_iter().map(|leftover| (leftover.effect, leftover.path)).collect()
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
            ("echo a > /work/a", Writes, "/work/a"),
            ("cp -r /app/. /work", Writes, "/work"),
            ("cp /app/*.yaml /work/", Writes, "/work"),
            ("mv /app/a /work/a", Writes, "/work/a"),
            ("touch /work/ready", Writes, "/work/ready"),
            ("tar -xzf /a.tgz -C /work", Writes, "/work"),
            ("cd /work; tar xf /a.tar", Writes, "/work"),
            ("wget -qO /work/a https://example.com/a", Writes, "/work/a"),
            ("curl -sSL -o /work/a https://example.com/a", Writes, "/work/a"),
            ("curl https://example.com/a | tar -xz --directory=/work", Writes, "/work"),
            ("dd if=/dev/zero of=/work/a", Writes, "/work/a"),
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
