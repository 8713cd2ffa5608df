//! What the commands say of the sample: the same things of a plain container and of the strictest one.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{Ended, scratchdbg};
use crate::support::container::{Container, Run};
use crate::support::process::namespace;
use crate::{require_engine, require_root};

/// What tells the two samples apart.
struct Sample {
    container: Container,
    image: &'static str,
    uid: u64,
    hardened: bool,
}

impl Sample {
    fn plain() -> Self {
        let container = Run::shop().flag("--env=SHOP_COLOUR=green\u{202e}").start();
        Self { container, image: "scratchdbg-test/shop", uid: 0, hardened: false }
    }

    fn hardened() -> Self {
        let container = Run::stripped().hardened().flag("--env=SHOP_COLOUR=green\u{202e}").start();
        Self { container, image: "scratchdbg-test/static", uid: 65532, hardened: true }
    }

    /// `scratchdbg VERB NAME`, as JSON and for a person.
    fn both(&self, verb: &str) -> (Value, String) {
        let name = self.container.name();
        (scratchdbg(&[verb, name, "--json"]).quietly().json(), shown(&scratchdbg(&[verb, name]).quietly()))
    }
}

#[test]
fn all_is_read_of_the_sample() {
    require_engine!();
    require_root!();
    all_is_read(&Sample::plain());
}

#[test]
fn all_is_read_of_the_hardened_sample() {
    require_engine!();
    require_root!();
    all_is_read(&Sample::hardened());
}

fn all_is_read(sample: &Sample) {
    list(sample);
    ps(sample);
    proc(sample);
    net(sample);
    files(sample);
    logs(sample);
}

/// What a person is shown, which has to be safe.
#[track_caller]
fn shown(ended: &Ended) -> String {
    ended.is_safe_to_show();
    ended.text()
}

/// The element of an array whose field is this.
#[track_caller]
fn one<'a>(array: &'a Value, field: &str, value: impl Into<Value>) -> &'a Value {
    let value = value.into();
    let all = array.as_array().unwrap_or_else(|| panic!("no array: {array:#}"));
    all.iter().find(|one| one[field] == value).unwrap_or_else(|| panic!("none with {field} {value} in {array:#}"))
}

/// The line of a table that has this text, with its blanks made one.
#[track_caller]
fn row(table: &str, text: &str) -> String {
    let line = table.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text:?} in:\n{table}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list(sample: &Sample) {
    let (name, id) = (sample.container.name(), sample.container.id());
    let all = scratchdbg(&["list", "--json"]).quietly().json();
    let this = one(&all["containers"], "id", id);
    assert_eq!(this["name"], name);
    assert_eq!(this["image"], sample.image);
    assert_eq!(this["state"], "running");
    assert_eq!(this["command"], "/shop");
    assert_eq!(this["kind"], "scratch");
    assert_eq!(this["go"]["path"], "example.com/shop");
    assert!(this["go"]["version"].as_str().is_some_and(|version| version.starts_with("go1.")), "{this}");
    assert!(humantime::parse_rfc3339(this["created"].as_str().unwrap()).is_ok(), "{this}");

    let table = shown(&scratchdbg(&["list", "--running"]).quietly());
    assert_eq!(row(&table, "NAME"), "NAME IMAGE STATE KIND GO STATUS");
    let row = row(&table, name);
    assert!(row.starts_with(&format!("{name} {} running scratch 1.", sample.image)), "{row}");
}

fn ps(sample: &Sample) {
    let (json, table) = sample.both("ps");
    assert_eq!(json["processes"].as_array().map(Vec::len), Some(1), "{json:#}");
    let first = &json["processes"][0];
    assert_eq!(first["pid"], 1);
    assert_eq!(first["host_pid"], sample.container.pid());
    assert_eq!(first["ppid"], 0);
    assert_eq!(first["uid"], sample.uid);
    assert_eq!(first["name"], "shop");
    assert_eq!(first["command"], serde_json::json!(["/shop"]));
    assert!(first["rss"].as_u64().is_some_and(|rss| (1 << 20..1 << 30).contains(&rss)), "{first}");
    assert!(first["threads"].as_u64().is_some_and(|threads| threads > 1), "{first}");

    assert_eq!(row(&table, "PID"), "PID HOST-PID USER STATE CPU RSS THREADS AGE COMMAND");
    let row = row(&table, "/shop");
    assert!(row.starts_with(&format!("1 {} {} ", sample.container.pid(), sample.uid)), "{row}");
}

fn proc(sample: &Sample) {
    let (json, text) = sample.both("proc");
    assert_eq!(json["process"]["host_pid"], sample.container.pid());
    assert_eq!(json["exe"]["ok"], "/shop");
    assert_eq!(json["cwd"]["ok"], "/");
    assert_eq!(one(&json["status"]["ok"], "name", "PPid")["value"], "0");
    let hostname = sample.container.id()[..12].to_owned();
    assert_eq!(one(&json["env"]["ok"], "name", "HOSTNAME")["value"], hostname);
    assert_eq!(one(&json["env"]["ok"], "name", "SHOP_COLOUR")["value"], "green\u{202e}");
    assert_eq!(one(&json["fds"]["ok"], "number", 0)["target"], "/dev/null");
    assert_eq!(one(&json["fds"]["ok"], "what", "tcp 0.0.0.0:8080 listening")["mode"], "rw");
    let files = one(&json["limits"]["ok"], "name", "Max open files");
    assert!(files["used"].as_u64() > Some(5) && files["soft"].as_u64() > Some(63), "{files}");
    let program = one(&json["maps"]["ok"], "what", "/shop");
    assert!(program["executable"].as_u64() > Some(1 << 20), "{program}");
    let root = one(&json["mounts"]["ok"], "point", "/");
    let options = root["options"].as_str().unwrap();
    assert_eq!(options.split(',').any(|word| word == "ro"), sample.hardened, "{options}");
    let effective = one(&json["capabilities"]["ok"], "set", "effective")["names"].as_array().unwrap();
    assert_eq!(effective.is_empty(), sample.hardened, "{effective:?}");
    let no_new = &one(&json["security"]["ok"], "name", "NoNewPrivs")["value"];
    assert_eq!(no_new, if sample.hardened { "yes" } else { "no" });
    let inode = namespace(sample.container.pid(), "pid").unwrap().display().to_string();
    let namespaces = json["namespaces"]["ok"].as_array().unwrap();
    let pid = namespaces.iter().find(|one| one[0] == "pid").unwrap();
    assert_eq!(format!("pid:[{}]", pid[1]), inode);

    for heading in ["STATUS", "SECURITY", "CAPABILITIES", "ENVIRONMENT", "DESCRIPTORS", "LIMITS", "MEMORY", "MOUNTS"] {
        assert!(text.lines().any(|line| line == heading), "no {heading} in:\n{text}");
    }
    assert!(text.contains("SHOP_COLOUR=green\\u{202e}"), "{text}");
    assert_eq!(row(&text, "pid on the host"), format!("pid on the host {}", sample.container.pid()));
}

fn net(sample: &Sample) {
    let (json, text) = sample.both("net");
    let sockets = &json["sockets"]["ok"];
    for (field, end) in [("local", "0.0.0.0:8080"), ("local", "127.0.0.1:6060"), ("path", "@shop-admin")] {
        let socket = one(sockets, field, end);
        assert_eq!(socket["state"], "LISTEN", "{socket}");
        let owner = &socket["owners"][0];
        assert_eq!((&owner["pid"], &owner["name"]), (&1.into(), &"shop".into()), "{socket}");
    }
    assert_eq!(one(sockets, "local", "0.0.0.0:8080")["uid"], sample.uid);
    let interfaces = &json["interfaces"]["ok"];
    assert_eq!(one(interfaces, "name", "lo")["addresses"][0], serde_json::json!(["127.0.0.1", 8]));
    assert_eq!(interfaces.as_array().unwrap().len() == 1, sample.hardened, "{interfaces:#}");
    let routes = json["routes"]["ok"].as_array().unwrap();
    assert_eq!(routes.iter().any(|route| route["prefix"] == 0), !sample.hardened, "{routes:#?}");
    assert!(json["resolver"]["hosts"]["ok"].to_string().contains("localhost"), "{json:#}");
    assert_eq!(json["notes"], serde_json::json!([]));

    assert_eq!(row(&text, "PROTO"), "PROTO STATE RECV-Q SEND-Q LOCAL REMOTE OWNER");
    let row = row(&text, "0.0.0.0:8080");
    assert!(row.starts_with("tcp LISTEN 0 0 0.0.0.0:8080 - 1/shop fd "), "{row}");
    for heading in ["INTERFACES", "ROUTES", "RESOLVER"] {
        assert!(text.lines().any(|line| line == heading), "no {heading} in:\n{text}");
    }
}

fn files(sample: &Sample) {
    let config = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shop/config.json")).unwrap();
    let at = |path: &str| sample.container.at(path);
    assert_eq!(scratchdbg(&["cat", &at("/etc/shop/config.json")]).quietly().stdout, config);
    let part = scratchdbg(&["cat", "--offset", "4", "--bytes", "10", &at("/etc/shop/config.json")]).quietly();
    assert_eq!(part.stdout, config[4..14]);

    let json = scratchdbg(&["ls", "--json", &at("/etc/shop")]).quietly().json();
    assert_eq!((&json["path"], &json["cut"]), (&"/etc/shop".into(), &false.into()));
    assert_eq!(json["entries"].as_array().map(Vec::len), Some(1));
    let file = one(&json["entries"], "name", "config.json");
    assert_eq!((&file["kind"], &file["size"]), (&"file".into(), &config.len().into()));
    assert_eq!((&file["uid"], &file["gid"], &file["links"]), (&0.into(), &0.into(), &1.into()));
    assert!(humantime::parse_rfc3339(file["modified"].as_str().unwrap()).is_ok(), "{file}");
    let root = scratchdbg(&["ls", "--json", &at("/")]).quietly().json();
    let program = one(&root["entries"], "name", "shop");
    assert_eq!((&program["permissions"], &program["mode"]), (&"-rwxr-xr-x".into(), &0o755.into()));
    let dev = scratchdbg(&["ls", "--json", "-d", &at("/dev/null")]).quietly().json();
    assert_eq!(dev["entries"][0]["device"], serde_json::json!({"major": 1, "minor": 3}));

    let table = shown(&scratchdbg(&["ls", &at("/etc/shop")]).quietly());
    let row = row(&table, "config.json");
    assert!(row.starts_with(&format!("-rw-r--r-- 1 0 0 {} 2", config.len())), "{row}");
    assert_eq!(scratchdbg(&["ls", "-1", &at("/etc/shop")]).quietly().text(), "config.json\n");
}

fn logs(sample: &Sample) {
    let name = sample.container.name();
    let lines = scratchdbg(&["logs", "--json", name]).quietly().json_lines();
    let first = &lines[0];
    assert_eq!((&first["stream"], &first["level"]), (&"stdout".into(), &"info".into()));
    let said: Value = serde_json::from_str(first["text"].as_str().unwrap()).unwrap();
    assert_eq!((&said["msg"], &said["uid"]), (&"shop open".into(), &sample.uid.into()));
    assert!(humantime::parse_rfc3339(first["time"].as_str().unwrap()).is_ok(), "{first}");

    let text = scratchdbg(&["logs", "--grep", "shop open", name]).quietly().text();
    assert_eq!(text.lines().collect::<Vec<_>>(), [first["text"].as_str().unwrap()]);
    let none = scratchdbg(&["logs", "--tail", "0", name]).quietly();
    assert_eq!(none.text(), "");
}
