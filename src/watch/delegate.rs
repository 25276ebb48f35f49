//! Commands that a command starts in its turn: what `entr`, `reflex`, `watchfiles`, `watchmedo` and
//! `nodemon` run at a change, `watch` now and then, `certbot` after a renewal.

use crate::shell::options::Arguments;
use crate::shell::{Command, Invocation, Script, Word, inline};

use super::invoked;

/// The command or script that another command is told to start. `None` where there is none, or it
/// is not known.
pub(super) fn started(command: &Command) -> Option<Script> {
    let (program, arguments) = invoked(command)?;
    match program {
        "entr" | "reflex" | "start-stop-daemon" | "xargs" => {
            argv(Arguments::of(program, arguments).command)
        }
        "watch" | "watchexec" => joined(Arguments::of(program, arguments).command),
        "onchange" => {
            let dashes = arguments.iter().position(|word| word.known() == Some("--"))?;
            joined(arguments.get(dashes.saturating_add(1)..)?)
        }
        "su" => text(program, arguments, "command"),
        "certbot" => ["deploy-hook", "renew-hook", "post-hook"]
            .into_iter()
            .find_map(|option| text(program, arguments, option)),
        "acme.sh" => ["reloadcmd", "reload-cmd", "renew-hook"]
            .into_iter()
            .find_map(|option| text(program, arguments, option)),
        "watchfiles" => {
            // It parts its command with Python's `shlex.split`; there is no shell.
            let options = Arguments::of(program, arguments);
            let words = shlex::split(options.operands.first()?.known()?)?;
            argv(&words.into_iter().map(Word::Known).collect::<Vec<_>>())
        }
        "watchmedo" | "chokidar" | "chokidar-cli" => text(program, arguments, "command"),
        "nodemon" => text(program, arguments, "exec"),
        "find" => argv(executed(arguments)?),
        _ => None,
    }
}

/// The command that `find` is told to execute.
pub(super) fn executed(arguments: &[Word]) -> Option<&[Word]> {
    let executes = |word: &Word| matches!(word.known(), Some("-exec" | "-execdir"));
    arguments.get(arguments.iter().position(executes)?.saturating_add(1)..)
}

fn argv(words: &[Word]) -> Option<Script> {
    let words: Vec<&str> = words.iter().map(Word::known).collect::<Option<_>>()?;
    inline(&Invocation { command: &words, hook: true, ..Invocation::default() })
}

/// The script that words make with blanks in between.
fn joined(words: &[Word]) -> Option<Script> {
    let words: Vec<&str> = words.iter().map(Word::known).collect::<Option<_>>()?;
    let text = words.join(" ");
    let script =
        inline(&Invocation { command: &["sh", "-c", &text], hook: true, ..<_>::default() });
    script.filter(|_| !text.is_empty())
}

/// The script that is the value of an option.
fn text(program: &str, arguments: &[Word], option: &str) -> Option<Script> {
    let options = Arguments::of(program, arguments);
    let text = options.values(option).next()??;
    inline(&Invocation { command: &["sh", "-c", text], hook: true, ..Invocation::default() })
}
