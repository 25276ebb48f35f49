//! Commands that a command starts in its turn: what `entr`, `watchfiles`, `watchmedo` and `nodemon`
//! run at a change.

use crate::shell::{Command, Invocation, Script, Word, inline};

use super::invoked;
use super::options::{Grammar, parse};

/// The command or script that another command is told to start. `None` where there is none, or it
/// is not known.
pub(super) fn started(command: &Command) -> Option<Script> {
    let (program, arguments) = invoked(command)?;
    match program {
        "entr" | "setpriv" | "start-stop-daemon" => argv(operands(arguments)),
        "xargs" => argv(xargs(arguments)),
        "watchfiles" => {
            const GRAMMAR: Grammar = Grammar {
                short: "",
                long: &[
                    "ignore-paths",
                    "target-type",
                    "filter",
                    "args",
                    "verbosity",
                    "sigint-timeout",
                ],
                strict: true,
            };
            // It parts its command with Python's `shlex.split`; there is no shell.
            let words = shlex::split(parse(arguments, &GRAMMAR).operands.first()?.known()?)?;
            argv(words.into_iter().map(Word::Known).collect::<Vec<_>>().iter())
        }
        "watchmedo" => text(arguments, &["c", "command"]),
        "nodemon" | "chokidar" | "chokidar-cli" => text(arguments, &["x", "exec", "c", "command"]),
        "find" => {
            let at = arguments
                .iter()
                .position(|word| matches!(word.known(), Some("-exec" | "-execdir")))?;
            argv(arguments.get(at.saturating_add(1)..)?.iter())
        }
        _ => None,
    }
}

/// The words from the first operand on.
fn operands(arguments: &[Word]) -> impl Iterator<Item = &Word> {
    arguments.iter().skip_while(|word| word.prefix().starts_with('-'))
}

fn xargs(arguments: &[Word]) -> impl Iterator<Item = &Word> {
    const GRAMMAR: Grammar = Grammar {
        short: "nIPLsEda",
        long: &[
            "max-args",
            "max-procs",
            "max-lines",
            "max-chars",
            "delimiter",
            "arg-file",
            "process-slot-var",
        ],
        strict: true,
    };
    parse(arguments, &GRAMMAR).operands.into_iter()
}

fn argv<'a>(words: impl Iterator<Item = &'a Word>) -> Option<Script> {
    let words: Vec<&str> = words.map(Word::known).collect::<Option<_>>()?;
    inline(&Invocation { command: &words, hook: true, ..Invocation::default() })
}

fn text(arguments: &[Word], names: &[&str]) -> Option<Script> {
    const GRAMMAR: Grammar = Grammar {
        short: "cxpidsCwe",
        long: &[
            "command",
            "exec",
            "pattern",
            "patterns",
            "watch",
            "ext",
            "ignore-pattern",
            "ignore-patterns",
        ],
        strict: false,
    };
    let options = parse(arguments, &GRAMMAR);
    let text = options.values(names).next()??;
    inline(&Invocation { command: &["sh", "-c", text], hook: true, ..Invocation::default() })
}
