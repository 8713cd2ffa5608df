//! Data for tests.

pub mod golang;
mod pods;
mod threads;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use crate::activity::{Record, Step};
use crate::corefile::Weight;
use crate::delve::model;
use crate::door::Door;
use crate::engine::health::HealthCheck;
use crate::engine::{Container, Mount, Port, State, Summary};
use crate::entry::tracer::Tracee;
use crate::exit::{Exit, Failure};
use crate::inspect::files::{FileEntry, Kind, Meta};
use crate::inspect::network::{Interface, Network, Owner, Resolver, Route, Socket, Traffic};
use crate::inspect::process::{CapabilitySet, Detail, EnvVar, Fd, Field, Limit, Mapping, MountPoint, Part};
use crate::inspect::processes::Process;
use crate::logs::{Line, Output};
use crate::target::{ContainerPid, HostPid, Target};
use crate::text::Untrusted;
use crate::tui::message::debug::{Known, Marks, Opened, Prospect, Rules, Snapshot, Subject, Text, Unset, Wanted};
use crate::tui::message::{Checked, Clock, Program, Session};

pub use pods::{contexts, listed, pod};
pub use threads::threads;

/// A name nobody would choose who means well: clears the screen, turns letters round, hides some, is wide.
pub const HOSTILE: &str = "\x1b[2J\u{202e}evil\u{200b}日本語\ne\u{301}\x07";

#[must_use]
pub fn wall(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000 + seconds)
}

#[must_use]
pub fn clock(seconds: u64) -> Clock {
    Clock { uptime: Duration::from_secs(seconds), wall: wall(seconds) }
}

#[must_use]
pub fn failure() -> Failure {
    Failure::new(Exit::NotPermitted, "cannot enter shop-api: setns failed: permission denied")
        .try_this("run it with sudo")
}

#[must_use]
pub fn unreachable() -> Failure {
    Failure::new(Exit::Unreachable, "cannot ask unix:///var/run/docker.sock: connection refused")
        .try_this("is the engine running?")
}

#[must_use]
pub fn summary(name: &str, state: State) -> Summary {
    let status = match state {
        State::Running => "Up 2 hours (healthy)",
        State::Paused => "Up 3 hours (Paused)",
        _ => "Exited (2) 5 minutes ago",
    };
    Summary {
        id: format!("{:0<64}", name.bytes().fold(String::new(), |id, byte| format!("{id}{byte:02x}"))),
        name: name.to_owned(),
        image: "acme/shop:1.9".to_owned(),
        state,
        status: status.to_owned(),
        created: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1_759_990_000)),
        command: "/shop serve --port 8080".to_owned(),
        labels: Vec::new(),
    }
}

#[must_use]
pub fn summaries() -> Vec<Summary> {
    vec![
        summary("shop-api", State::Running),
        summary("api-worker", State::Running),
        summary("cache", State::Paused),
        summary("api-migrate", State::Exited),
    ]
}

pub fn container(name: &str) -> Container {
    let summary = summary(name, State::Running);
    Container {
        id: summary.id,
        name: summary.name,
        image: summary.image,
        image_id: "sha256:aa".to_owned(),
        state: State::Running,
        pid: Some(HostPid(4711)),
        engine_pid: Some(4711),
        exit_code: None,
        oom_killed: false,
        created: summary.created,
        started: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1_759_992_800)),
        finished: None,
        restarts: 1,
        command: ["/shop", "serve", "--port", "8080"].map(str::to_owned).to_vec(),
        user: "65532".to_owned(),
        tty: false,
        read_only: true,
        privileged: false,
        may_trace: false,
        log_driver: "json-file".to_owned(),
        health: Some("healthy".to_owned()),
        health_check: Some(HealthCheck::new(5_000_000_000, 2_000_000_000, 3, 0, 0)),
        network_mode: "bridge".to_owned(),
        pid_mode: String::new(),
        userns_mode: String::new(),
        ports: vec![Port {
            container_port: 8080,
            protocol: "tcp".to_owned(),
            host_ip: Some("127.0.0.1".to_owned()),
            host_port: Some(18080),
        }],
        memory_limit: Some(128 << 20),
        labels: Vec::new(),
        mounts: vec![Mount {
            kind: "volume".to_owned(),
            source: "shop-data".to_owned(),
            destination: "/data".to_owned(),
            read_write: true,
        }],
    }
}

#[must_use]
pub fn target() -> Target {
    Target::Container(Box::new(container("shop-api")))
}

pub fn session() -> Session {
    Session {
        namespaces: ["mnt", "pid", "net", "uts", "ipc"].map(str::to_owned).to_vec(),
        identity: "65532:65532, no capabilities".to_owned(),
        door: "local".to_owned(),
        init: ContainerPid(1),
    }
}

/// Steps of the sidecar door: what, what takes it back, and how it ended.
#[must_use]
pub fn steps(steps: &[(&str, Option<&str>, Result<(), &str>)]) -> Record {
    let mut record = Record::default();
    for ((what, undo, result), second) in steps.iter().zip(0..) {
        record.push(Step::new(wall(second), Some(Door::Sidecar), what, *undo).ended(*result));
    }
    record
}

/// The steps of a door that opened.
#[must_use]
pub fn entered() -> Record {
    let mut record = Record::default();
    let end = Some("the helper's end");
    for (second, door, what, undo) in [
        (
            0,
            Some(Door::Sidecar),
            "import image scratchdbg-helper:2483-18eab41c, 21208 bytes",
            Some("docker rmi scratchdbg-helper:2483-18eab41c"),
        ),
        (0, Some(Door::Sidecar), "remove image sha256:d934754f98875bfd", None),
        (7, Some(Door::Local), "hold shop-api (process 4711) by a pidfd", end),
        (7, Some(Door::Local), "join its namespaces: mnt pid net uts ipc", end),
        (7, Some(Door::Local), "execute the helper from a sealed memory file", end),
        (61, None, "write shop-api.log on this host", Some("removing it")),
    ] {
        let mut step = Step::new(wall(second), door, what, undo).ended(Ok(()));
        if let Some(undo) = step.undo.as_mut() {
            undo.done = second == 0;
        }
        record.push(step);
    }
    record.push(Step::new(
        wall(62),
        Some(Door::Sidecar),
        "start container scratchdbg-2483-18eab41c",
        Some("the end of its input"),
    ));
    record
}

/// The steps of doors that did not open.
#[must_use]
pub fn refused() -> Record {
    steps(&[
        ("import image scratchdbg-helper:2483-18eab41c, 21208 bytes", Some("docker rmi x"), Ok(())),
        (
            "create container scratchdbg-2483-18eab41c",
            Some("docker rm -f x"),
            Err("the engine refused: no space left on device"),
        ),
        (
            "enter shop-api through a sidecar",
            None,
            Err("cannot put a sidecar beside shop-api: no space left on device"),
        ),
    ])
}

/// What `check` finds of it.
#[must_use]
pub fn checked() -> Checked {
    Checked {
        failures: 1,
        warnings: 1,
        worst: vec![
            (true, "tls", "no roots are there: what asks others over TLS fails".to_owned()),
            (false, "users", "it runs as root".to_owned()),
        ],
    }
}

#[must_use]
pub fn program() -> Program {
    Program {
        kind: Some("scratch: no shell, no libc".to_owned()),
        go: Some("go1.27.3".to_owned()),
        module: Some("example.com/shop (devel)".to_owned()),
        facts: vec![("-trimpath".to_owned(), "true".to_owned())],
    }
}

pub fn process(pid: i32, parent: i32, command: &str) -> Process {
    Process {
        pid: ContainerPid(pid),
        host_pid: Some(HostPid(4710 + pid)),
        ppid: ContainerPid(parent),
        uid: 65532,
        user: None,
        state: if pid == 9 { 'Z' } else { 'S' },
        threads: 7,
        rss: 31 << 20,
        cpu: Duration::from_secs(83),
        age: Duration::from_secs(7200),
        cpu_percent: 1.2,
        start_ticks: 100,
        name: Untrusted::from("shop"),
        command: if pid == 9 { Vec::new() } else { command.split(' ').map(Untrusted::from).collect() },
    }
}

#[must_use]
pub fn processes() -> Vec<Process> {
    vec![
        process(1, 0, "/shop serve --port 8080"),
        process(7, 1, "/shop worker"),
        process(8, 7, "/shop job"),
        process(9, 1, ""),
    ]
}

#[must_use]
pub fn detail() -> Detail {
    let field = |name: &str, value: &str| Field { name: name.to_owned(), value: Untrusted::from(value) };
    let env = |name: &str, value: &str| EnvVar { name: Untrusted::from(name), value: Untrusted::from(value) };
    Detail {
        process: process(1, 0, "/shop serve --port 8080"),
        exe: Part::Ok(Untrusted::from("/shop")),
        cwd: Part::Ok(Untrusted::from("/")),
        root: Part::Ok(Untrusted::from("/")),
        status: Part::Ok(vec![field("Umask", "0022"), field("Threads", "7")]),
        env: Part::Ok(vec![env("PATH", "/"), env("DB_PASSWORD", "hunter2"), env("NOTE", HOSTILE)]),
        fds: Part::Ok(vec![
            Fd {
                number: 0,
                what: "file".to_owned(),
                target: Untrusted::from("/dev/null"),
                mode: Some("r".to_owned()),
                position: None,
            },
            Fd {
                number: 3,
                what: "tcp 0.0.0.0:8080 listening".to_owned(),
                target: Untrusted::from("socket:[1234]"),
                mode: Some("rw".to_owned()),
                position: None,
            },
        ]),
        limits: Part::Ok(vec![Limit {
            name: "Max open files".to_owned(),
            soft: Some(1024),
            hard: None,
            unit: "files".to_owned(),
            used: Some(1000),
        }]),
        maps: Part::Ok(vec![Mapping {
            what: Untrusted::from("/shop"),
            regions: 3,
            size: 8 << 20,
            executable: 3 << 20,
            writable: 0,
        }]),
        mounts: Part::Ok(vec![MountPoint {
            point: Untrusted::from("/"),
            kind: Untrusted::from("overlay"),
            source: Untrusted::from("overlay"),
            options: Untrusted::from("ro,relatime"),
        }]),
        capabilities: Part::Ok(vec![CapabilitySet { set: "effective".to_owned(), names: Vec::new() }]),
        cgroups: Part::Unavailable("not permitted".to_owned()),
        namespaces: Part::Ok(vec![("mnt".to_owned(), 4_026_532_000)]),
        security: Part::Ok(vec![field("seccomp", "filter"), field("no_new_privs", "yes")]),
    }
}

#[must_use]
pub fn network() -> Network {
    let socket = |protocol: &str, state: &str, port: u16, queue: u32| Socket {
        protocol: protocol.to_owned(),
        state: state.to_owned(),
        local: Some((Ipv4Addr::UNSPECIFIED, port).into()),
        remote: (state == "ESTABLISHED").then(|| (Ipv4Addr::new(10, 0, 0, 7), 5432).into()),
        path: None,
        receive_queue: queue,
        send_queue: 0,
        uid: Some(65532),
        inode: 1234,
        owners: vec![Owner { pid: ContainerPid(1), name: Untrusted::from("shop"), fd: 3 }],
    };
    let mut unix = socket("unix", "-", 0, 0);
    unix.local = None;
    unix.path = Some(Untrusted::from(HOSTILE));
    unix.owners.clear();
    Network {
        sockets: Part::Ok(vec![socket("tcp", "LISTEN", 8080, 128), socket("tcp", "ESTABLISHED", 40112, 0), unix]),
        interfaces: Part::Ok(vec![Interface {
            name: Untrusted::from("eth0"),
            addresses: vec![(IpAddr::V4(Ipv4Addr::new(172, 17, 0, 2)), 16)],
            received: Traffic { bytes: 123_456, packets: 100, errors: 0, drops: 1 },
            sent: Traffic { bytes: 7_890, packets: 50, errors: 0, drops: 0 },
        }]),
        routes: Part::Ok(vec![Route {
            destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            prefix: 0,
            gateway: Some(IpAddr::V4(Ipv4Addr::new(172, 17, 0, 1))),
            interface: Untrusted::from("eth0"),
            metric: 0,
        }]),
        resolver: Resolver {
            nameservers: Part::Ok(vec![Untrusted::from("10.0.0.2")]),
            search: vec![Untrusted::from("example.com")],
            options: Vec::new(),
            hosts: Part::Ok(vec![(Untrusted::from("127.0.0.1"), vec![Untrusted::from("localhost")])]),
            nsswitch: None,
        },
        notes: Vec::new(),
    }
}

#[must_use]
pub fn entry(name: &str, kind: Kind, size: u64) -> FileEntry {
    let mode = if kind == Kind::Directory { 0o755 } else { 0o644 };
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_759_000_000);
    FileEntry {
        name: Untrusted::from(name),
        kind,
        meta: Some(Meta { mode, uid: 0, gid: 0, nlink: 1, size, modified, device: None }),
        link: (kind == Kind::Symlink).then(|| Untrusted::from("../shop")),
    }
}

#[must_use]
pub fn file(name: &str, size: u64) -> FileEntry {
    entry(name, Kind::File, size)
}

#[must_use]
pub fn directory(name: &str) -> FileEntry {
    entry(name, Kind::Directory, 4096)
}

#[must_use]
pub fn files() -> Vec<FileEntry> {
    let mut gone = file("vanished", 0);
    gone.meta = None;
    vec![
        directory("etc"),
        directory("data"),
        file("shop", 8 << 20),
        file(".dockerenv", 0),
        entry("app", Kind::Symlink, 7),
        entry("pipe", Kind::Fifo, 0),
        gone,
    ]
}

pub fn line(text: impl Into<Vec<u8>>, stderr: bool) -> Line {
    let text = text.into();
    let length = text.len() as u64;
    let output = if stderr { Output::Stderr } else { Output::Stdout };
    Line { output, time: None, text: Untrusted::new(text), cut: false, length }
}

#[must_use]
pub fn log() -> Vec<Line> {
    let texts = [
        (&b"INF GET /v1/cart 200 4ms"[..], false),
        (b"\x1b[31mERR\x1b[0m cart: upstream timeout after 2s", true),
        (b"INF retry 1/3", false),
        (b"INF done", false),
    ];
    let mut seconds = 100;
    texts
        .into_iter()
        .map(|(text, stderr)| {
            seconds += 1;
            Line { time: Some(wall(seconds)), ..line(text, stderr) }
        })
        .collect()
}

#[must_use]
pub fn prospect() -> Prospect {
    Prospect {
        process: Tracee { pid: ContainerPid(1), host: Some(HostPid(4711)), start_ticks: 9 },
        risk: None,
        go: Ok("go1.27.3".to_owned()),
        weight: Weight { writable: 3 << 20, constant: 8 << 20, threads: 7 },
        pause: Duration::from_micros(2900),
        attaching: Some(Duration::from_millis(262)),
        most: 4 << 30,
        limits: None,
        debugger: Ok("dlv 1.27.1 (/usr/bin/dlv)".to_owned()),
        debug_file: Ok(None),
        remembered: Vec::new(),
    }
}

#[must_use]
pub fn opened() -> Opened {
    let snapshot = Snapshot { at: wall(0), pause: Duration::from_micros(2612), size: 11 << 20, left_out: 0 };
    Opened {
        pid: ContainerPid(1),
        subject: Subject::Snapshot(snapshot),
        versions: model::Versions { delve: "1.27.1".into(), go: "go1.27.3".into(), backend: "core".into() },
        limits: None,
        rules: Rules::default(),
    }
}

/// Breakpoints that were set the last time.
#[must_use]
pub fn wanted() -> Vec<Wanted> {
    let wanted = |place: &str, function: &str, condition: &str, hit_condition: &str, enabled: bool| Wanted {
        place: place.to_owned(),
        function: function.to_owned(),
        condition: condition.to_owned(),
        hit_condition: hit_condition.to_owned(),
        tracepoint: !enabled,
        enabled,
    };
    vec![
        wanted("/src/shop/store.go:42", "main.(*store).packOrders", "", "", true),
        wanted("main.(*store).buy", "main.(*store).buy", "n > 3", "% 100", true),
        wanted("main.run", "main.run", "", "", false),
    ]
}

/// Breakpoints of a session: one of each kind.
#[must_use]
pub fn breakpoints() -> Marks {
    let known = |id, function: &str, file: &str, line, hits| Known {
        breakpoint: model::Breakpoint {
            id,
            location: location(function, file, line),
            enabled: true,
            hits,
            ..model::Breakpoint::default()
        },
        moved: None,
    };
    let mut set = vec![
        known(1, "main.(*store).packOrders", "/src/shop/store.go", 42, 12),
        known(2, "main.(*store).buy", "/src/shop/store.go", 30, 0),
        known(4, "main.run", "/src/shop/main.go", 12, 3),
    ];
    (set[1].breakpoint.condition, set[1].breakpoint.hit_condition) = ("n > 3".into(), "% 100".into());
    (set[2].breakpoint.enabled, set[2].breakpoint.tracepoint) = (false, true);
    set[2].moved = Some("main.main".into());
    let gone =
        Wanted { place: "/src/shop/store.go:99".to_owned(), function: "main.gone".to_owned(), ..Wanted::default() };
    let why = "delve: nothing is at /src/shop/store.go:99".to_owned();
    let unset = vec![Unset { wanted: Wanted { enabled: true, ..gone }, why }];
    Marks::new(set, unset)
}

#[must_use]
pub fn location(function: &str, file: &str, line: u32) -> model::Location {
    let pc = 0x46_0000 + u64::from(line);
    model::Location { function: function.into(), file: file.into(), line, pc, optimised: false }
}

#[must_use]
pub fn goroutine(id: i64, function: &str, line: u32) -> model::Goroutine {
    model::Goroutine {
        id,
        status: model::Status::Waiting,
        wait: Some(model::Wait { number: 19, words: Some("chan receive") }),
        waits_since: None,
        current: location("runtime.gopark", "/go/src/runtime/proc.go", 461),
        user: location(function, "/src/shop/store.go", line),
        go_statement: location("main.run", "/src/shop/main.go", 31),
        start: location(function, "/src/shop/store.go", 30),
        thread: None,
        labels: Vec::new(),
        unreadable: None,
    }
}

#[must_use]
pub fn goroutines() -> Vec<model::Goroutine> {
    let mut running = goroutine(1, "main.main", 12);
    (running.status, running.wait) = (model::Status::Running, None);
    let mut labelled = goroutine(22, "net/http.(*conn).serve", 99);
    labelled.labels.push(model::Label { key: "request".into(), value: "cart".into() });
    vec![goroutine(18, "main.(*store).packOrders", 42), running, labelled]
}

/// The stack of goroutine 18, which waits in the runtime.
#[must_use]
pub fn stack() -> Vec<model::Frame> {
    let frame = |function: &str, file: &str, line| model::Frame {
        location: location(function, file, line),
        ..model::Frame::default()
    };
    let mut frames = vec![
        frame("runtime.gopark", "/go/src/runtime/proc.go", 461),
        frame("runtime.chanrecv", "/go/src/runtime/chan.go", 667),
        frame("main.(*store).packOrders", "/src/shop/store.go", 42),
        frame("main.run.func1", "/src/shop/main.go", 33),
    ];
    frames[1].location.optimised = true;
    let call = location("sync.(*Mutex).Unlock", "/go/src/sync/mutex.go", 210);
    frames[2].defers.push(model::Defer { call, ..model::Defer::default() });
    frames[3].bottom = true;
    frames
}

#[must_use]
pub fn variable(name: &str, kind: model::Kind, value: &str, children: Vec<model::Variable>) -> model::Variable {
    model::Variable { name: name.into(), kind, value: value.into(), children, ..model::Variable::default() }
}

/// A pointer to a struct with a slice of which only some is loaded.
#[must_use]
pub fn store() -> model::Variable {
    use model::Kind::{Int, Map, Pointer, Slice, String, Struct};
    let element = |at: usize| variable(&format!("[{at}]"), Int, &(at * 10).to_string(), Vec::new());
    let mut slice =
        variable("orders", Slice, "[]int len: 300, cap: 512, [0,10,...+298 more]", vec![element(0), element(1)]);
    slice.more = Some(model::More { expression: "(*(*\"[]int\")(0xc000))[2:]".to_owned(), missing: 298 });
    let pair = vec![variable("", String, "\"a9\"", Vec::new()), variable("", Int, "7", Vec::new())];
    let map = variable("stock", Map, "map[string]int [\"a9\": 7, ]", pair);
    let inside = variable("", Struct, "main.store {orders: ..., stock: ...}", vec![slice, map]);
    variable("s", Pointer, "*main.store {orders: len: 300, stock: ...}", vec![inside])
}

#[must_use]
pub fn locals() -> Vec<model::Variable> {
    use model::Kind::{Int, String};
    let mut gone = variable("gone", String, "", Vec::new());
    gone.unreadable = Some("could not read memory".into());
    vec![
        variable("url", String, "\"http://127.0.0.1:8080/healthz\"", Vec::new()),
        variable("n", Int, "3", Vec::new()),
        gone,
    ]
}

#[must_use]
pub fn source() -> Text {
    let mut lines: Vec<std::string::String> = (1..=60).map(|line| format!("    // line {line}")).collect();
    lines[29] = "func (s *store) packOrders() {".to_owned();
    lines[40] = "    for {".to_owned();
    lines[41] = "        order := <-s.queue".to_owned();
    Text { path: "/home/me/shop/store.go".to_owned(), lines }
}

/// A process that has stopped at a breakpoint, in goroutine 22.
#[must_use]
pub fn stopped() -> model::State {
    let hit = model::Hit { breakpoint: model::Breakpoint { id: 1, ..Default::default() }, ..Default::default() };
    let thread = model::Thread { id: 4711, goroutine: Some(22), hit: Some(hit), ..Default::default() };
    model::State {
        pid: 4711,
        running: false,
        exited: None,
        stop: model::Stop::Breakpoint,
        goroutine: goroutines().pop(),
        thread: Some(thread.clone()),
        threads: vec![thread],
        step_interrupted: false,
    }
}
