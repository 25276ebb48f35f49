//! The table of programs: one row for each, with the options that matter.
//!
//! Options stand as in a manual, parted by blanks: `-e,--event=` takes a value and is called
//! `event`, `-jar!` ends the options. An option that is not listed takes no value. `NAME=` lets
//! assignments stand among the options; `@` and `$` say that words which begin so are options, `$`
//! that unknown words may be.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::shell::Word;

/// How a program spells its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As `getopt_long` reads them: letters in a row, long names.
    Getopt,
    /// One word each, with one dash or two, as Go and Java read them.
    Words,
    /// As shells read them: letters in a row, off with `+`, values always in the next word.
    Shell,
}

/// How programs of these names read their arguments, as it is written down.
#[derive(Debug)]
pub(super) struct Line {
    /// Their names, parted by blanks; with an underscore where a subcommand has its own options.
    pub(super) programs: &'static str,
    spelling: Spelling,
    starts_command: bool,
    options: &'static str,
}

/// How a program reads its arguments.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) spelling: Spelling,
    /// Whether the first operand ends the options, because it starts another command.
    pub(super) starts_command: bool,
    /// Each form of each option.
    pub(super) forms: Vec<Form>,
    /// Words without dashes that are options all the same begin with one of these.
    marks: Vec<char>,
    /// Whether assignments may stand among the options.
    takes_assignments: bool,
}

/// A form of an option: `-e` or `--event`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Without its dashes.
    pub(super) text: &'static str,
    pub(super) dashes: usize,
    option: Listed,
}

/// An option that a row lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: &'static str,
    pub(super) takes_value: bool,
    /// Whether no option follows it.
    pub(super) ends: bool,
}

const fn getopt(programs: &'static str, options: &'static str) -> Line {
    Line { programs, spelling: Spelling::Getopt, starts_command: false, options }
}

const fn words(programs: &'static str, options: &'static str) -> Line {
    Line { programs, spelling: Spelling::Words, starts_command: false, options }
}

/// A program whose first operand is a command that it starts.
const fn launcher(programs: &'static str, options: &'static str) -> Line {
    Line { starts_command: true, ..getopt(programs, options) }
}

/// A program whose first operand is a program that it runs.
const fn runtime(programs: &'static str, options: &'static str) -> Line {
    Line { starts_command: true, ..words(programs, options) }
}

/// A shell, whose first operand is its script.
const fn shell(programs: &'static str, options: &'static str) -> Line {
    Line { spelling: Spelling::Shell, ..launcher(programs, options) }
}

pub(super) const LINES: &[Line] = &[
    // shells, and what starts another command in front of it
    shell("sh set", "-c -e -s -o= -O= --rcfile= --init-file="),
    launcher(
        "builtin busybox catatonit chrt ddtrace-run gosu nohup opentelemetry-instrument \
        s6-setuidgid setsid setuidgid su-exec unbuffer",
        "",
    ),
    launcher("chpst", "-u= -U= -e= -n= -l= -L= -m= -d= -o= -p= -f= -c= -r= -t= -/= -b="),
    launcher("doas", "-u= -C= -a= -s"),
    launcher("flock", "-c,--command -w,--wait,--timeout= -E,--conflict-exit-code="),
    launcher(
        "numactl",
        "-i,--interleave= -N,--cpunodebind= -C,--physcpubind= -m,--membind= -p,--preferred=",
    ),
    launcher("runuser", "-u,--user= -g,--group= -G,--supp-group= -c,--command= -l,--login"),
    launcher("taskset", "-p,--pid -c,--cpu-list"),
    launcher("watch", "-n,--interval= -x,--exec -q,--equexit="),
    launcher(
        "reflex",
        "-c,--config= -d,--decoration= -g,--glob= -G,--inverse-glob= -r,--regex= \
        -R,--inverse-regex= -t,--shutdown-timeout=",
    ),
    getopt("su", "-c,--command= -s,--shell= -g,--group= -G,--supp-group= -l,--login"),
    getopt("certbot", "--deploy-hook= --post-hook= --pre-hook= --renew-hook="),
    getopt("acme.sh", "--reloadcmd= --reload-cmd= --post-hook= --renew-hook="),
    launcher("command", "-v -V"),
    launcher("dumb-init", "-r,--rewrite="),
    launcher("env", "NAME= -u,--unset= -C,--chdir= -S,--split-string"),
    launcher("exec", "-a="),
    launcher("ionice", "-c,--class= -n,--classdata="),
    launcher("nice", "-n,--adjustment="),
    launcher("stdbuf", "-i,--input= -o,--output= -e,--error="),
    launcher(
        "sudo",
        "NAME= -u,--user= -g,--group= -C,--close-from= -D,--chdir= \
        -h,--host= -p,--prompt= -r,--role= -T,--command-timeout= -i,--login -l,--list -e,--edit",
    ),
    launcher("time", "-f,--format= -o,--output="),
    launcher("timeout", "-k,--kill-after= -s,--signal= -t"),
    launcher("tini", "-p= -e="),
    launcher(
        "setpriv",
        "--reuid= --ruid= --euid= --regid= --rgid= --egid= --groups= --inh-caps= --ambient-caps= \
        --bounding-set= --securebits= --pdeathsig= --selinux-label= --apparmor-profile= --ptracer=",
    ),
    // values stand behind `=`, and what follows `--exec` is as good as an operand
    launcher("start-stop-daemon", ""),
    launcher(
        "xargs",
        "-n,--max-args= -P,--max-procs= -L,--max-lines= \
        -s,--max-chars= -d,--delimiter= -a,--arg-file= -I= -E= --process-slot-var=",
    ),
    // runtimes
    runtime(
        "java",
        "-cp,-classpath,--class-path= -p,--module-path= --upgrade-module-path= --add-modules= \
        --add-exports= --add-opens= --add-reads= --limit-modules= --patch-module= \
        --enable-native-access= --origin= -jar! -m,--module! @ $",
    ),
    runtime(
        "node",
        "-r,--require= --import= --loader= --experimental-loader= -C,--conditions= -e,--eval= \
        -p,--print= --env-file= --title= $",
    ),
    // what watches files
    getopt("chokidar chokidar-cli", "-c,--command= -d,--debounce= -t,--throttle= -i,--ignore="),
    launcher("entr", "-z"),
    getopt(
        "fswatch",
        "-e,--exclude= -i,--include= -f,--format-time= -l,--latency= -m,--monitor= \
        -1,--one-event --event=",
    ),
    getopt(
        "inotifywait",
        "-e,--event= -t,--timeout= --timefmt= --format= -o,--outfile= \
        --exclude= --excludei= --include= --includei= --fromfile= -m,--monitor -d,--daemon \
        -r,--recursive -P,--no-dereference -q,--quiet -s,--syslog -c,--csv --no-newline -0 \
        -h,--help",
    ),
    getopt("nodemon", "-w,--watch= -x,--exec= -e,--ext= -d,--delay= -i,--ignore= -s,--signal="),
    getopt(
        "tail",
        "-f,--follow -F -n,--lines= -c,--bytes= -s,--sleep-interval= --pid= \
        --max-unchanged-stats=",
    ),
    launcher(
        "watchexec",
        "-w,--watch= -e,--exts= -d,--delay= -x,--exec= \
        --ext= --filter= --ignore=",
    ),
    getopt(
        "watchfiles",
        "--ignore-paths= --target-type= --filter= --args= --verbosity= \
        --sigint-timeout= --grace-period= --sigkill-timeout= --force-polling \
        --ignore-permission-denied",
    ),
    getopt("watchmedo", WATCHMEDO),
    launcher("watchmedo_auto-restart", WATCHMEDO),
    // what looks at files once
    getopt(
        "b2sum b3sum cksum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum sum xxhsum",
        "-c,--check",
    ),
    getopt("grep", "-v,--invert-match -e,--regexp= -f,--file= -m,--max-count= -A= -B= -C="),
    getopt("stat", "-c,--format= --printf= -L,--dereference"),
    // what looks whether somebody answers
    getopt("nc ncat netcat", "-w= -i= -p= -s= -q= -e= -X= -x= -z"),
    getopt("mysqladmin mariadb-admin", "-h,--host= -P,--port= -u,--user= -p"),
    getopt("pg_isready", "-h,--host= -p,--port= -U,--username= -d,--dbname= -t,--timeout="),
    getopt("redis-cli valkey-cli", "-h= -p= -a= -n= -u="),
    // what sends signals, and looks for processes
    getopt("httpd apache2 apachectl apache2ctl", "-k= -f= -d= -D= -C= -c= -E= -e="),
    launcher("kill", "-s,--signal=! -n=! -l,--list -L,--table"),
    words("haproxy", "-sf -st -f= -p= -C= -n= -N= -m= -x= -L= -S= -cc="),
    getopt(
        "killall",
        "-s,--signal= -u,--user= -n,--ns= -o,--older-than= -y,--younger-than= \
        -Z,--context= -l,--list -V,--version",
    ),
    getopt("nginx openresty angie", "-s= -c= -p= -g= -e="),
    getopt("pidof", "-o= -S="),
    getopt(
        "pgrep pkill",
        "-u,--euid= -U,--uid= -P,--parent= -g,--pgroup= -G,--group= \
        -s,--session= -t,--terminal= -d,--delimiter= -F,--pidfile= -r,--runstates= --signal= \
        --ns= --nslist=",
    ),
    getopt("squid", "-k= -f= -a= -d= -u= -n="),
    // reloaders: the options listed say what to watch
    words("configmap-reload", "-volume-dir="),
    words("nats-server-config-reloader", "-config="),
    words("prometheus-config-reloader", "-watched-dir= -config-file="),
    // those of kube-logging, Managed Prometheus and others; a file may be their own configuration
    words("config-reloader", "-watched-dir= -volume-dir= -rules-dir= -config-dir="),
    words("thanos", "-reloader.rule-dir= -reloader.config-file="),
    // what writes files
    getopt("cp rsync", "-n,--no-clobber -u,--update -t,--target-directory="),
    getopt(
        "curl",
        "-o,--output= -A,--user-agent= -b,--cookie= -c,--cookie-jar= -C,--continue-at= \
        -d,--data= -D,--dump-header= -e,--referer= -E,--cert= -F,--form= -H,--header= -K,--config= \
        -m,--max-time= -P,--ftp-port= -Q,--quote= -r,--range= -t,--telnet-option= \
        -T,--upload-file= -u,--user= -U,--proxy-user= -w,--write-out= -x,--proxy= -X,--request= \
        -y,--speed-time= -Y,--speed-limit= -z,--time-cond=",
    ),
    getopt("dd", ""),
    getopt("git_clone", "-b,--branch= --depth= -o,--origin= -c,--config= -j,--jobs= --filter="),
    getopt("initdb", "-D,--pgdata="),
    getopt("ln", "-f,--force"),
    getopt("mkdir mkfifo mknod", "-p,--parents -m,--mode="),
    getopt("mv", "-n,--no-clobber -t,--target-directory="),
    getopt("tar", "-x,--extract,--get -C,--directory= -f,--file="),
    getopt("tee", "-a,--append"),
    getopt("touch", "-c,--no-create -d,--date= -t= -r,--reference="),
    getopt("unzip", "-d="),
    getopt("wget", "-O,--output-document= -o,--output-file= -P,--directory-prefix="),
];

const WATCHMEDO: &str = "-c,--command= -p,--pattern= --patterns= -i,--ignore-pattern= \
    --ignore-patterns= -d,--directory= --directories= -s,--shell= -C,--cwd= --interval= --timeout= \
    --shell-executable= --signal= --kill-after= --debounce-interval= -R,--recursive \
    --debug-force-polling";

/// The rows by the names of their programs: read once, because scripts are looked at on the review
/// path.
static ROWS: LazyLock<HashMap<&str, Row>> = LazyLock::new(|| {
    let named = |line: &'static Line| line.programs.split(' ').map(|name| (name, Row::read(line)));
    LINES.iter().flat_map(named).collect()
});

/// The row of every other program.
static OTHER: LazyLock<Row> = LazyLock::new(|| Row::read(&getopt("", "")));

impl Row {
    /// The row of this program, or the one of every other program.
    pub(super) fn of(program: &str) -> &'static Self {
        Self::listed_for(program).unwrap_or(&OTHER)
    }

    /// The row of this program, if it has one.
    pub(super) fn listed_for(program: &str) -> Option<&'static Self> {
        ROWS.get(program)
    }

    pub(super) fn read(line: &Line) -> Self {
        let mut row = Self {
            spelling: line.spelling,
            starts_command: line.starts_command,
            forms: Vec::new(),
            marks: Vec::new(),
            takes_assignments: false,
        };
        for entry in line.options.split_whitespace() {
            match entry {
                "@" | "$" => row.marks.extend(entry.chars()),
                "NAME=" => row.takes_assignments = true,
                _ => row.read_option(entry),
            }
        }
        row
    }

    fn read_option(&mut self, entry: &'static str) {
        let ends = entry.ends_with('!');
        let entry = entry.trim_end_matches('!');
        let takes_value = entry.ends_with('=');
        let forms = entry.trim_end_matches('=');
        let long = forms.split(',').find(|form| form.starts_with("--"));
        let name = long.unwrap_or(forms).trim_start_matches('-');
        let option = Listed { name, takes_value, ends };
        self.forms.extend(forms.split(',').map(|form| {
            let text = form.trim_start_matches('-');
            Form { text, dashes: form.len().saturating_sub(text.len()), option }
        }));
    }

    /// Whether an option of the row is called `name`.
    pub(super) fn names(&self, name: &str) -> bool {
        self.forms.iter().any(|form| form.option.name == name)
    }

    /// The option of this letter.
    pub(super) fn letter(&self, letter: char) -> Option<Listed> {
        let mut buffer = [0; 4];
        let letter = letter.encode_utf8(&mut buffer);
        self.find(|form| form.dashes == 1 && form.text == letter)
    }

    /// The option of this long name.
    pub(super) fn long(&self, name: &str) -> Option<Listed> {
        self.find(|form| form.dashes == 2 && form.text == name)
    }

    /// The option of this name, with however many dashes.
    pub(super) fn whole_word(&self, name: &str) -> Option<Listed> {
        self.find(|form| form.text == name)
    }

    /// Whether a word without dashes may be an option all the same.
    pub(super) fn may_stand_for_option(&self, word: &Word) -> bool {
        match word.known() {
            None => self.marks.contains(&'$'),
            Some(text) => text.starts_with(self.marks.as_slice()),
        }
    }

    /// Whether a word is an assignment that may stand among the options.
    pub(super) fn is_assignment(&self, word: &Word) -> bool {
        self.takes_assignments && word.known().is_some_and(|text| text.contains('='))
    }

    fn find(&self, is_meant: impl Fn(&Form) -> bool) -> Option<Listed> {
        self.forms.iter().find(|form| is_meant(form)).map(|form| form.option)
    }
}
