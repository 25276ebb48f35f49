//! Commands that look whether somebody answers at a port of the pod.

use crate::shell::options::Arguments;
use crate::shell::{Command, Word};

/// Names of the pod itself.
const LOCAL: [&str; 5] = ["localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0"];

/// The port of the pod at which a command looks for somebody.
pub(crate) fn asked_port(command: &Command) -> Option<i64> {
    let through_shell = command.redirections.iter().find_map(|redirection| {
        let (host, port) =
            redirection.target.known()?.strip_prefix("/dev/tcp/")?.split_once('/')?;
        at(host, port)
    });
    through_shell.or_else(|| by_program(command))
}

fn by_program(command: &Command) -> Option<i64> {
    let program = command.program()?;
    let options = Arguments::of(program, command.arguments());
    let named = |host: &str, port: &str, usual: &'static str| {
        at(options.value(host)?, options.value(port).unwrap_or(usual))
    };
    match program {
        "nc" | "ncat" | "netcat" => match options.operands.as_slice() {
            [host, port] => at(host.known()?, port.known()?),
            _ => None,
        },
        "curl" | "wget" => options.operands.iter().find_map(|word| of_address(word)),
        "pg_isready" => named("host", "port", "5432"),
        "mysqladmin" | "mariadb-admin" => named("host", "port", "3306"),
        "redis-cli" | "valkey-cli" => named("h", "p", "6379"),
        _ => None,
    }
}

/// The port of an address of the pod: `http://localhost:8080/ready`.
fn of_address(word: &Word) -> Option<i64> {
    let text = word.known()?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let place = rest.split(['/', '?']).next()?;
    let usual = if scheme == "https" { "443" } else { "80" };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (place, usual),
    };
    at(host, port)
}

fn at(host: &str, port: &str) -> Option<i64> {
    LOCAL.contains(&host).then(|| port.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::{Invocation, inline};

    fn asked(text: &str) -> Option<i64> {
        let script =
            inline(&Invocation { command: &["sh", "-c", text], ..Invocation::default() }).unwrap();
        script.commands.iter().find_map(asked_port)
    }

    #[test]
    fn ports_of_the_pod() {
        for (text, port) in [
            ("nc -z localhost 80", 80),
            ("nc -zv -w 2 127.0.0.1 5432", 5432),
            ("curl -sf http://localhost:15021/healthz/ready", 15021),
            ("curl -s -o /dev/null https://127.0.0.1", 443),
            ("wget -q --spider localhost:8080", 8080),
            ("pg_isready -h localhost", 5432),
            ("mysqladmin ping -h 127.0.0.1 -P 3307", 3307),
            ("redis-cli -h localhost ping", 6379),
            ("echo > /dev/tcp/localhost/9000", 9000),
        ] {
            assert_eq!(asked(text), Some(port), "{text}");
        }
    }

    #[test]
    fn ports_of_others_and_none() {
        for text in [
            "nc -z db 5432",
            "curl http://config:8888/",
            "pg_isready",
            "curl http://localhost:$PORT/",
            "wget -q https://example.com/localhost:80",
            "test -f /run/app.pid",
        ] {
            assert_eq!(asked(text), None, "{text}");
        }
    }
}
