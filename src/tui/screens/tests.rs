mod pods;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::draw;
use super::dump::styled_dump;
use crate::engine::State;
use crate::exit::{Exit, Failure};
use crate::inspect::files::Listing;
use crate::inspect::process::Part;
use crate::target::{ContainerPid, Target};
use crate::text::{Untrusted, is_dangerous};
use crate::tui::app::{App, Options, update};
use crate::tui::fake;
use crate::tui::keymap::Tab;
use crate::tui::message::debug::{Prospect, Question};
use crate::tui::message::{Answer, Log, Msg, Opened, Request, Window};
use crate::tui::theme::{Theme, ThemeChoice};

/// What the data are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Typical,
    Empty,
    Broken,
    Hostile,
}

const MOODS: [(Mood, &str); 4] =
    [(Mood::Typical, "typical"), (Mood::Empty, "empty"), (Mood::Broken, "broken"), (Mood::Hostile, "hostile")];
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (60, 15)];
const SCREENS: [&str; 24] = [
    "picker",
    "pods",
    "contexts",
    "namespaces",
    "overview",
    "procs",
    "process",
    "logs",
    "files",
    "viewer",
    "hex",
    "net",
    "activity",
    "depths",
    "threads",
    "goroutines",
    "stripped",
    "variables",
    "source",
    "breakpoints",
    "go",
    "help",
    "message",
    "line",
];

fn reading(app: &mut App, request: Request, answer: Answer) {
    let generation = app.work.as_ref().map_or(0, |work| work.generation);
    update(app, Msg::Reading { generation, request, result: Ok(answer) });
}

fn open(app: &mut App, mood: Mood) {
    update(app, Msg::Key(crate::tui::keymap::Key::parse("Enter").unwrap()));
    let generation = app.work.as_ref().map_or(0, |work| work.generation);
    let mut container = fake::container("shop-api");
    if mood == Mood::Hostile {
        container.name = fake::HOSTILE.to_owned();
        container.command = vec![fake::HOSTILE.to_owned()];
    }
    let target = Target::Container(Box::new(container));
    let opened = Box::new(Opened { target, session: Ok(fake::session()) });
    update(app, Msg::Opened { generation, result: Ok(opened) });
}

fn fill(app: &mut App, mood: Mood) {
    let hostile = mood == Mood::Hostile;
    let mut processes = fake::processes();
    let mut detail = fake::detail();
    let mut network = fake::network();
    let mut files = fake::files();
    let mut data = b"one\ntwo\tof two\n\x1b[31mred\x1b[0m\nthe last".to_vec();
    if hostile {
        processes[1].command = vec![Untrusted::from(fake::HOSTILE)];
        processes[1].user = Some(Untrusted::from(fake::HOSTILE));
        detail.exe = Part::Ok(Untrusted::from(fake::HOSTILE));
        if let Part::Ok(interfaces) = &mut network.interfaces {
            interfaces[0].name = Untrusted::from(fake::HOSTILE);
        }
        files = vec![fake::file(fake::HOSTILE, 7), fake::file("\u{202e}gpj.exe", 1), fake::directory("日本語")];
        data = fake::HOSTILE.as_bytes().to_vec();
    }
    if mood == Mood::Empty {
        processes.clear();
        files.clear();
        data.clear();
        network.sockets = Part::Ok(Vec::new());
    }
    let mut later = processes.clone();
    for process in &mut later {
        process.cpu += std::time::Duration::from_millis(24);
    }
    reading(app, Request::Processes, Answer::Processes(processes, std::time::Duration::from_secs(1)));
    reading(app, Request::Processes, Answer::Processes(later, std::time::Duration::from_secs(3)));
    reading(app, Request::Init(ContainerPid(1)), Answer::Detail(Box::new(detail.clone())));
    if mood != Mood::Empty {
        reading(app, Request::Program, Answer::Program(fake::program()));
        let mut checked = fake::checked();
        if mood == Mood::Hostile {
            fake::HOSTILE.clone_into(&mut checked.worst[0].2);
        }
        reading(app, Request::Check, Answer::Check(checked));
    }
    let steps = match mood {
        Mood::Empty => crate::activity::Record::default(),
        Mood::Broken => fake::refused(),
        Mood::Typical => fake::entered(),
        Mood::Hostile => fake::steps(&[(fake::HOSTILE, Some(fake::HOSTILE), Err(fake::HOSTILE))]),
    };
    update(app, Msg::Activity(std::sync::Arc::new(steps)));
    reading(app, Request::Network, Answer::Network(Box::new(network)));
    reading(app, Request::List(b"/".to_vec()), Answer::Files(Listing { entries: files, cut: false }));
    let evil = format!("main.{}", fake::HOSTILE);
    let name = if hostile { evil.as_str() } else { "example.com/shop/store.(*Store).worker" };
    let workers: &[u64] = if mood == Mood::Empty { &[] } else { &[3, 5, 8, 214] };
    for &workers in workers {
        let answer = fake::golang::answer(fake::golang::named(name, workers));
        reading(app, Request::Goroutines(None), answer);
    }
    let window = Window { offset: 0, size: Some(data.len() as u64), end: true, data };
    app.work.as_mut().unwrap().tab = Tab::Logs;
    update(app, Msg::Tick(fake::clock(1)));
    let stream = app.work.as_ref().unwrap().logs.stream;
    if mood != Mood::Empty {
        let mut lines = fake::log();
        if hostile {
            lines = vec![
                fake::line(fake::HOSTILE, false),
                fake::line(&b"\xff\xfe\x1b]52;c;aGk=\x07\x1b[8mhidden"[..], true),
            ];
        }
        update(app, Msg::Log { stream, what: Log::Lines(lines) });
    }
    let work = app.work.as_mut().unwrap();
    work.process = Some(crate::tui::app::process::ProcessView::new(ContainerPid(1)));
    if mood != Mood::Empty {
        reading(app, Request::Detail(ContainerPid(1)), Answer::Detail(Box::new(detail)));
    }
    let path = if hostile { fake::HOSTILE.as_bytes().to_vec() } else { b"/etc/motd".to_vec() };
    reading(app, Request::Open(path), Answer::Window(window));
}

/// The threads of a program that Go did not make.
fn threads(app: &mut App, mood: Mood) {
    let generation = app.work.as_ref().map_or(0, |work| work.generation);
    let not_go = Failure::new(Exit::No, "process 1 was not made by Go");
    let prospect = Box::new(Prospect { go: Err(not_go), ..fake::prospect() });
    update(app, Msg::Prospect { generation, result: Ok(prospect) });
    let mut threads = fake::threads();
    if mood == Mood::Empty {
        (threads.all, threads.mappings) = (Vec::new(), Vec::new());
    }
    if mood == Mood::Hostile {
        for thread in &mut threads.all {
            thread.about.name = fake::HOSTILE.into();
            let spot = thread.spot.as_mut().unwrap();
            (spot.function, spot.file) = (Some(fake::HOSTILE.into()), Some(fake::HOSTILE.into()));
        }
        threads.mappings[1].name = fake::HOSTILE.as_bytes().to_vec();
    }
    app.work.as_mut().unwrap().debug.opening = Some((1, String::new()));
    let told = crate::tui::message::debug::Told::Threads(Box::new(threads));
    update(app, Msg::Debug { session: 1, told });
    for keys in ["j", "Tab"] {
        update(app, Msg::Key(crate::tui::keymap::Key::parse(keys).unwrap()));
    }
}

/// Breakpoints of the last time.
fn remembered(mood: Mood) -> Vec<crate::tui::message::debug::Wanted> {
    let mut all = fake::wanted();
    if mood == Mood::Hostile {
        let wanted = &mut all[1];
        for text in [&mut wanted.place, &mut wanted.function, &mut wanted.condition, &mut wanted.hit_condition] {
            *text = fake::HOSTILE.to_owned();
        }
    }
    all
}

fn limits_of_stripped() -> crate::delve::version::Limits {
    use crate::delve::version::{Gate, Version, gate};
    match gate(Version { major: 1, minor: 27, patch: 1 }, None, true) {
        Gate::Limited(limits) => limits,
        Gate::Good | Gate::Refused(_) => panic!("nothing is missing, or all"),
    }
}

fn into_threads(goroutines: &mut [crate::delve::model::Goroutine], place: &Untrusted) {
    for (number, goroutine) in (4711..).zip(goroutines) {
        goroutine.id = crate::tui::app::debug::thread::as_goroutine(number);
        goroutine.current.function = place.clone();
    }
}

/// What a look would cost.
fn prospect(mood: Mood) -> Result<Box<Prospect>, Failure> {
    let (typical, remembered) = (fake::prospect(), remembered(mood));
    let prospect = match mood {
        Mood::Broken => return Err(fake::failure()),
        Mood::Hostile => Prospect { go: Ok(fake::HOSTILE.to_owned()), most: 1 << 20, remembered, ..typical },
        Mood::Empty => Prospect { go: Err(fake::failure()), ..typical },
        Mood::Typical => Prospect { remembered, ..typical },
    };
    Ok(Box::new(prospect))
}

/// A session with the debugger, as far as a mood lets it come.
fn debug(app: &mut App, mood: Mood, screen: &str) {
    use crate::delve::model::{Frame, Groups, Page};
    use crate::tui::message::debug::{Reply, Told};
    let generation = app.work.as_ref().map_or(0, |work| work.generation);
    let hostile = mood == Mood::Hostile;
    update(app, Msg::Prospect { generation, result: prospect(mood) });
    if screen == "depths" {
        return;
    }
    if screen == "threads" {
        threads(app, mood);
        return;
    }
    let mut opened = fake::opened();
    if screen == "breakpoints" {
        opened.subject = crate::tui::message::debug::Subject::Live(fake::wall(0));
    }
    if hostile {
        opened.versions.go = fake::HOSTILE.into();
    }
    if screen == "stripped" {
        (opened.limits, opened.versions.go) = (Some(limits_of_stripped()), Untrusted::default());
    }
    app.work.as_mut().unwrap().debug.opening = Some((1, String::new()));
    let mut effects = update(app, Msg::Debug { session: 1, told: Told::Opened(Box::new(opened)) });
    let evil = |text: &str| if hostile { fake::HOSTILE.into() } else { Untrusted::from(text) };
    // Every question that comes of an answer is answered, until there is none any more.
    if screen == "source" {
        effects.extend(update(app, key("v")));
    }
    for _ in 0..20 {
        let asked: Vec<_> = effects
            .drain(..)
            .filter_map(|effect| match effect {
                crate::tui::effect::Effect::Debug { question, .. } => Some(question),
                _ => None,
            })
            .collect();
        for question in asked {
            let broken =
                mood == Mood::Broken && !matches!(question, Question::Goroutines { .. } | Question::Groups { .. });
            let result = match &question {
                _ if broken => Err(Failure::new(Exit::No, "delve: could not read memory")),
                Question::Goroutines { .. } if mood == Mood::Empty => Ok(Reply::Goroutines(Page::default())),
                Question::Groups { .. } if mood == Mood::Empty => Ok(Reply::Groups(Groups::default())),
                Question::Goroutines { .. } => {
                    let mut goroutines = fake::goroutines();
                    if screen == "stripped" {
                        into_threads(&mut goroutines, &evil("runtime.futex"));
                    }
                    goroutines[0].user.function = evil("main.(*store).packOrders");
                    Ok(Reply::Goroutines(Page { goroutines, next: Some(3) }))
                }
                Question::Groups { .. } => {
                    let group = |name: &str, total| crate::delve::model::Group {
                        name: evil(name),
                        total,
                        members: fake::goroutines(),
                    };
                    let groups = vec![group("main.(*store).packOrders", 12_000), group("main.main", 1)];
                    Ok(Reply::Groups(Groups { groups, more: false, next: None }))
                }
                Question::Stack { .. } => {
                    let mut frames = fake::stack();
                    frames[2].location.function = evil("main.(*store).packOrders");
                    frames.push(Frame { error: Some(evil("no more")), ..Frame::default() });
                    Ok(Reply::Stack(frames))
                }
                Question::Variables(_) if screen == "stripped" => {
                    Err(Failure::new(Exit::No, "delve: unable to find locals: no debug information present in binary"))
                }
                Question::Variables(_) => {
                    let mut locals = fake::locals();
                    locals[0].value = evil("\"http://127.0.0.1:8080/healthz\"");
                    locals[1].name = evil("n");
                    Ok(Reply::Variables { arguments: vec![fake::store()], locals })
                }
                Question::Evaluate { .. } => Ok(Reply::Value(Box::new(fake::locals().remove(1)))),
                Question::Source(_) if hostile => Err(Failure::new(Exit::No, fake::HOSTILE)),
                Question::Source(_) => Ok(Reply::Source(std::sync::Arc::new(fake::source()))),
                Question::Instructions { .. } => Ok(Reply::Instructions(vec![crate::delve::model::Instruction {
                    location: fake::location("main.f", "/src/shop/store.go", 42),
                    text: evil("CALL runtime.gopark(SB)"),
                    ..Default::default()
                }])),
            };
            effects.extend(update(app, Msg::Debug { session: 1, told: Told::Replied { question, result } }));
        }
    }
    if screen == "variables" {
        for keys in ["Tab", "Tab", "Enter", "j", "Enter"] {
            update(app, key(keys));
        }
        let session = app.work.as_mut().unwrap().debug.session.as_mut().unwrap();
        session.variables.ask("len(s.orders)", crate::tui::message::debug::Purpose::Watch);
    }
    if screen == "source" {
        update(app, key("S-Tab"));
    }
    if screen == "breakpoints" {
        live(app, mood);
    }
}

/// A live process that has stopped, with breakpoints.
fn live(app: &mut App, mood: Mood) {
    use crate::tui::message::debug::{Motion, Told};
    let mut marks = match mood {
        Mood::Empty => crate::tui::message::debug::Marks::default(),
        _ => fake::breakpoints(),
    };
    if mood == Mood::Hostile {
        let breakpoint = &mut marks.set[1].breakpoint;
        (breakpoint.location.function, breakpoint.condition) = (fake::HOSTILE.into(), fake::HOSTILE.into());
        (breakpoint.hit_condition, breakpoint.location.file) = (fake::HOSTILE.into(), fake::HOSTILE.into());
        marks.set[2].moved = Some(fake::HOSTILE.into());
        (marks.unset[0].why, marks.unset[0].wanted.place) = (fake::HOSTILE.to_owned(), fake::HOSTILE.to_owned());
    }
    let told = |told| Msg::Debug { session: 1, told };
    update(app, told(Told::Moved(Motion::Stopped(Box::new(fake::stopped()), std::time::Duration::ZERO))));
    update(app, told(Told::Breakpoints(marks, None)));
    update(app, key("i"));
    update(app, key("j"));
}

fn key(key: &str) -> Msg {
    Msg::Key(crate::tui::keymap::Key::parse(key).unwrap())
}

/// An app that shows a screen.
fn app(screen: &str, mood: Mood, size: (u16, u16)) -> App {
    let (mut app, _) = App::new(Options { size, ..Options::default() });
    update(&mut app, Msg::Tick(fake::clock(0)));
    if mood == Mood::Empty && screen == "picker" {
        update(&mut app, Msg::Containers(Ok(Vec::new())));
        return app;
    }
    let mut containers = fake::summaries();
    if mood == Mood::Hostile {
        containers[0].name = fake::HOSTILE.to_owned();
        containers[0].command = fake::HOSTILE.to_owned();
        containers[0].image = fake::HOSTILE.to_owned();
        containers.truncate(1);
    }
    update(&mut app, Msg::Containers(Ok(containers)));
    if ["pods", "contexts", "namespaces"].contains(&screen) {
        pods::fill(&mut app, mood, screen);
        return app;
    }
    if screen == "picker" {
        if mood == Mood::Broken {
            update(&mut app, Msg::Containers(Err(fake::unreachable())));
        }
        return app;
    }
    open(&mut app, mood);
    fill(&mut app, mood);
    let work = app.work.as_mut().unwrap();
    work.tab = match screen {
        "procs" | "process" => Tab::Procs,
        "logs" | "line" => Tab::Logs,
        "files" | "viewer" | "hex" => Tab::Files,
        "net" => Tab::Net,
        "go" => Tab::Go,
        "activity" => Tab::Activity,
        "depths" | "threads" | "stripped" | "goroutines" | "variables" | "source" | "breakpoints" => Tab::Debug,
        _ => Tab::Overview,
    };
    if screen != "process" {
        work.process = None;
    }
    match screen {
        "viewer" => {
            if let Some(viewer) = &mut work.viewer {
                viewer.hex = false;
            }
        }
        "hex" => {
            if let Some(viewer) = &mut work.viewer {
                viewer.hex = true;
            }
        }
        _ => work.viewer = None,
    }
    let generation = work.generation;
    if work.tab == Tab::Debug {
        debug(&mut app, mood, screen);
    }
    if mood == Mood::Broken {
        let mut target = fake::container("shop-api");
        (target.state, target.pid, target.exit_code) = (State::Exited, None, Some(2));
        let target = Box::new(Target::Container(Box::new(target)));
        update(&mut app, Msg::Lost { generation, reason: "the container ended".to_owned() });
        update(&mut app, Msg::Inspected { generation, target });
        let stream = app.work.as_ref().unwrap().logs.stream;
        let failure = Failure::new(Exit::Unreachable, "the log broke off");
        update(&mut app, Msg::Log { stream, what: Log::Ended(Err(failure)) });
        update(&mut app, Msg::Tick(fake::clock(90)));
    }
    let key = |app: &mut App, text: &str| drop(update(app, key(text)));
    match screen {
        "help" => key(&mut app, "?"),
        "line" => key(&mut app, "o"),
        "message" => {
            let failure = if mood == Mood::Hostile {
                Failure::new(Exit::No, fake::HOSTILE).try_this(fake::HOSTILE)
            } else {
                fake::failure()
            };
            let result = Err(failure);
            update(&mut app, Msg::Saved(result));
        }
        _ => {}
    }
    let clock = app.clock;
    update(&mut app, Msg::Tick(clock));
    app
}

fn drawn(app: &App, size: (u16, u16)) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw(app, &mut buf);
    buf
}

#[test]
fn every_screen_looks_as_it_did() {
    for screen in SCREENS {
        for (mood, word) in MOODS {
            for size in SIZES {
                let app = app(screen, mood, size);
                let name = format!("{screen}_{word}_{}x{}", size.0, size.1);
                insta::assert_snapshot!(name, styled_dump(&drawn(&app, size)));
            }
        }
    }
}

#[test]
fn themes_look_as_they_did() {
    for (choice, word) in [(ThemeChoice::Mono, "mono"), (ThemeChoice::Light, "light")] {
        let mut app = app("logs", Mood::Typical, (80, 24));
        app.theme = Theme::new(choice);
        insta::assert_snapshot!(format!("theme_{word}_logs"), styled_dump(&drawn(&app, (80, 24))));
    }
}

#[test]
fn no_colour_is_left_in_mono_and_the_selected_row_is_seen() {
    for screen in SCREENS {
        let mut app = app(screen, Mood::Typical, (120, 36));
        app.theme = Theme::new(ThemeChoice::Mono);
        let buf = drawn(&app, (120, 36));
        assert!(buf.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{screen}");
        if ["picker", "pods", "contexts", "namespaces", "procs", "process", "files", "net", "activity", "depths"]
            .contains(&screen)
        {
            let reversed = |y: u16| {
                (1..40).all(|x| buf.cell((x, y)).is_some_and(|cell| cell.modifier.contains(Modifier::REVERSED)))
            };
            assert!((0..36).any(reversed), "{screen}");
        }
    }
}

#[test]
fn no_size_breaks_any_screen() {
    for screen in SCREENS {
        for mood in [Mood::Typical, Mood::Hostile] {
            let mut app = app(screen, mood, (80, 24));
            for width in 1..=120 {
                for height in 1..=40 {
                    // Drawing is slow in a debug build: of what fits, hostile data see a part of the sizes.
                    if mood == Mood::Hostile && width > 60 && height > 15 && (width * 7 + height) % 11 != 0 {
                        continue;
                    }
                    app.size = (width, height);
                    // Every size need not be settled for: a resize may be drawn before it is known.
                    if (width + height) % 7 == 0 {
                        update(&mut app, Msg::Resize(width, height));
                    }
                    let buf = drawn(&app, (width, height));
                    if width < 60 || height < 15 {
                        let rest = buf.content().iter().skip(width.into());
                        assert!(rest.clone().all(|cell| cell.symbol() == " "), "{screen} {width}x{height}");
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_hostile_reaches_the_screen() {
    for screen in SCREENS {
        for size in SIZES {
            let buf = drawn(&app(screen, Mood::Hostile, size), size);
            for cell in buf.content() {
                assert!(!cell.symbol().chars().any(is_dangerous), "{screen}: {:?}", cell.symbol());
            }
        }
    }
}

#[test]
fn the_footer_shows_whole_entries() {
    for width in [60, 80, 120] {
        let app = app("logs", Mood::Typical, (width, 24));
        let buf = drawn(&app, (width, 24));
        let row: String = (0..width).filter_map(|x| buf.cell((x, 23))).map(|cell| cell.symbol().to_owned()).collect();
        let last = row.trim_end().rsplit("  ").next().unwrap_or_default().trim();
        let whole = crate::tui::keymap::active(crate::tui::keymap::Mode::Logs)
            .iter()
            .any(|binding| format!("{} {}", crate::tui::keymap::first(binding.keys), binding.hint) == last);
        assert!(whole, "{last:?} at {width}");
    }
}
