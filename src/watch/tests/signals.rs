//! Who gets a signal, and whether the script may have started it.

use super::super::{Recipient, may_start, signals};
use super::script;

fn recipients(text: &str) -> Vec<Recipient> {
    let found = signals(&script(text)).into_iter();
    found.map(|signal| signal.recipient).collect()
}

#[test]
fn recipients_by_name() {
    let nginx = [
        "nginx -s reload",
        "/usr/sbin/nginx -c /x -s reload",
        "nginx -sreopen",
        "nginx -g 'pid /x;' -s quit",
        "kill -HUP $(pidof nginx)",
        "kill -s HUP `pidof -s nginx`",
        "kill -1 $(pgrep -o -x nginx)",
        "kill -HUP \"$(pgrep -f 'nginx: master process')\"",
        "kill $(cat /var/run/nginx.pid)",
        "p=$(pidof nginx); kill -HUP $p",
        "kill -HUP $(ps aux | grep '[n]ginx: master' | awk '{print $2}')",
        "kill -HUP $(ps | grep -v grep | grep nginx | head -1)",
        "pidof nginx | xargs kill -HUP",
        "pgrep nginx | head -1 | xargs -r kill -HUP",
        "pkill nginx",
        "pkill -HUP -x nginx",
        "pkill --signal HUP -f '^/usr/sbin/nginx'",
        "killall -q -HUP nginx",
        "killall -s HUP nginx",
        "service nginx reload",
        "echo /x | entr -n nginx -s reload",
        "echo /x | entr sh -c 'nginx -t && nginx -s reload'",
        "watchfiles 'nginx -s reload' /x",
        "watchmedo shell-command -c 'nginx -s reload' /x",
        "nodemon -w /x --exec 'nginx -s reload'",
        "while inotifywait -e create /x; do nginx -s reload; done",
    ];
    for text in nginx {
        assert_eq!(recipients(text), [Recipient::Named("nginx".to_owned())], "{text}");
    }
    let named = [
        ("haproxy -f /x -sf $(pidof haproxy)", "haproxy"),
        ("haproxy -f /x -st $OLD", "haproxy"),
        ("killall prometheus", "prometheus"),
        ("apachectl graceful", "httpd"),
        ("apache2 -k graceful", "apache2"),
        ("squid -k reconfigure", "squid"),
    ];
    for (text, name) in named {
        assert_eq!(recipients(text), [Recipient::Named(name.to_owned())], "{text}");
    }
}

#[test]
fn recipients_of_ones_own() {
    for text in [
        "kill 1",
        "kill -HUP 1",
        "kill -s TERM 1",
        "kill 0",
        "app & kill $!",
        "app & p=$!; kill -HUP \"$p\"",
        // Kubernetes makes one dollar sign of two.
        "kill -TERM $$$$",
        "kill %1",
        "kill $(jobs -p)",
        "pkill -P $$$$",
    ] {
        assert_eq!(recipients(text), [Recipient::Own], "{text}");
    }
}

#[test]
fn recipients_that_cannot_be_told() {
    for text in [
        "kill $p",
        "kill -HUP $PPID",
        "kill -HUP 17",
        "kill $(cat /x)",
        "kill $(find_it)",
        "pkill $NAME",
        "pkill -u www",
        "killall $NAME",
        "pkill 'a|.*b*'",
    ] {
        assert_eq!(recipients(text), [Recipient::Unknown], "{text}");
    }
}

#[test]
fn no_signals() {
    for text in [
        "kill -0 1",
        "kill -0 $(pidof nginx)",
        "kill -s 0 7",
        "kill -l",
        "pkill -0 nginx",
        "killall -0 nginx",
        "nginx -g 'daemon off;'",
        "nginx -t",
        "echo nginx -s reload",
        "trap 'nginx -s quit' TERM",
        "haproxy -f /x",
        "service nginx start",
        "reload() { nginx -s reload; }",
    ] {
        assert_eq!(recipients(text), [], "{text}");
    }
}

#[test]
fn processes_the_script_may_have_started() {
    let started = [
        "nginx -g 'daemon off;' & while sleep 1; do nginx -s reload; done",
        "/usr/sbin/nginx; nginx -s reload",
        "exec nginx",
        "/docker-entrypoint.sh nginx -g 'daemon off;'",
        "start-stop-daemon --start --exec /usr/sbin/nginx",
        "service nginx start; nginx -s reload",
        "/start.sh & nginx -s reload",
        "sh /start & nginx -s reload",
        ". /start; nginx -s reload",
        "$COMMAND & nginx -s reload",
        "supervisord & nginx -s reload",
        "echo /x | entr -r nginx -g 'daemon off;'",
    ];
    for text in started {
        assert!(may_start(&script(text), "nginx"), "{text}");
    }
    let not = [
        "while sleep 1; do nginx -s reload; done",
        "nginx -t && nginx -s reload",
        "nginx -tq; pkill -HUP nginx; kill $(pidof nginx); echo nginx",
        "inotifywait -m /etc/nginx | while read l; do killall -HUP nginx; done",
        "haproxy -f /x & pkill nginx",
    ];
    for text in not {
        assert!(!may_start(&script(text), "nginx"), "{text}");
    }
    // The one that signals its elder is its own successor.
    assert!(may_start(&script("haproxy -f /x -sf $(pidof haproxy)"), "haproxy"));
}
