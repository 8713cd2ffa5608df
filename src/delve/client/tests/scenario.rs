//! What is asked of each recorded Delve. It looks at `tests/fixtures/parked`.

use std::fmt::Write as _;

use super::super::*;
use crate::delve::model::*;

const LOAD: Load = Load { pointers: true, depth: 1, string: 12, elements: 2, fields: 8 };
const LITTLE: Load = Load { pointers: false, depth: 0, ..LOAD };

/// What a person would see, a line each.
#[derive(Default)]
pub(super) struct Seen(pub(super) String);

impl Seen {
    fn say(&mut self, text: impl std::fmt::Display) {
        writeln!(self.0, "{text}").unwrap();
    }

    fn title(&mut self, text: &str) {
        writeln!(self.0, "\n## {text}").unwrap();
    }

    fn all<T>(&mut self, title: &str, result: Result<Vec<T>, Error>, line: impl Fn(&T) -> String) {
        self.title(title);
        match result {
            Ok(list) => list.iter().for_each(|item| self.say(line(item))),
            Err(error) => self.say(error),
        }
    }

    fn one<T>(&mut self, title: &str, result: Result<T, Error>, line: impl Fn(&T) -> String) {
        self.all(title, result.map(|one| vec![one]), line);
    }
}

fn at(location: &Location) -> String {
    let optimised = if location.optimised { " optimised" } else { "" };
    format!("{} {}:{}{optimised}", location.function.safe(), location.file.safe(), location.line)
}

fn goroutine(of: &Goroutine) -> String {
    let wait = of.wait.map(|wait| format!(" ({})", wait.words.unwrap_or("?"))).unwrap_or_default();
    let since = if of.waits_since.is_some() { " since" } else { "" };
    let thread = if of.thread.is_some() { " on a thread" } else { "" };
    let labels: Vec<_> = of.labels.iter().map(|label| format!("{}={}", label.key.safe(), label.value.safe())).collect();
    let places = [&of.current, &of.user, &of.go_statement, &of.start].map(at).join(" | ");
    format!("{} {}{wait}{since}{thread} {labels:?} {places}", of.id, of.status.word())
}

fn variable(of: &Variable) -> String {
    let plain = |text: &str| regex::Regex::new("0x[0-9a-f]+").unwrap().replace_all(text, "0x…").into_owned();
    let mut text = format!("{} {} {:?}", plain(of.name.safe().as_str()), of.type_name.safe(), of.kind);
    for (flag, word) in [(of.shadowed, " shadowed"), (of.returned, " returned")] {
        text += if flag { word } else { "" };
    }
    write!(text, " = {}", plain(of.value.safe().as_str())).unwrap();
    // Addresses are others in each run.
    if let Some(more) = &of.more {
        write!(text, " more: {} {}", more.missing, plain(&more.expression)).unwrap();
    }
    if of.len + of.cap > 0 {
        write!(text, " ({}/{})", of.len, of.cap).unwrap();
    }
    for child in &of.children {
        write!(text, "\n  {}", variable(child).replace('\n', "\n  ")).unwrap();
    }
    text
}

fn breakpoint(of: &Breakpoint) -> String {
    let kind = if of.tracepoint { "tracepoint" } else { "breakpoint" };
    let state = if of.enabled { "on" } else { "off" };
    let conditions = format!("if {:?} hits {:?}", of.condition, of.hit_condition);
    let places = if of.addresses.len() > 1 { "several places" } else { "one place" };
    format!(
        "{kind} {} {:?} {} {places} {conditions} {} hits {state} {:?}",
        of.id,
        of.name,
        at(&of.location),
        of.hits,
        of.variables
    )
}

fn thread(of: &Thread) -> String {
    let hit = of.hit.as_ref().map(|hit| {
        let vars: Vec<_> = hit.variables.iter().chain(&hit.arguments).map(variable).collect();
        format!(" at {} {vars:?} {} calls", breakpoint(&hit.breakpoint), hit.stack.len())
    });
    let returned: Vec<_> = of.returned.iter().map(variable).collect();
    format!("{}{} returned {returned:?}", at(&of.location), hit.unwrap_or_default())
}

fn state(of: &State) -> String {
    let goroutine = of.goroutine.as_ref().map(|of| format!("{} {}", of.id, at(&of.user)));
    let thread = of.thread.as_ref().map(thread).unwrap_or_default();
    let traced = of.only_traced();
    format!(
        "{:?} exited {:?} step interrupted {} only traced {traced} goroutine {goroutine:?} thread {thread}",
        of.stop, of.exited, of.step_interrupted
    )
}

/// Over a core: everything that only looks.
pub(super) async fn core(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> String {
    let mut seen = Seen::default();
    let (client, found) = Stopped::open(stream).await.unwrap();
    seen.one("state", Ok(found), |of| format!("{} {} threads", state(of), of.threads.len()));
    seen.one("versions", client.versions().await, |of| format!("{of:?}"));

    let all = client.goroutines(0, 100, &[]).await.unwrap();
    seen.one("all goroutines", Ok(&all), |page| format!("{:?}", page.next));
    seen.all("each", Ok(all.goroutines.iter().collect()), |of| goroutine(of));
    let user = Filter { matching: Matching::NotRuntime, negated: false };
    let page = client.goroutines(0, 4, std::slice::from_ref(&user)).await.unwrap();
    seen.one("user goroutines among the first 4", Ok(&page), |of| {
        format!("{} next {:?}", of.goroutines.len(), of.next)
    });
    let page = client.goroutines(page.next.unwrap_or(0), 3, &[user]).await.unwrap();
    seen.one("those after", Ok(&page), |of| format!("{} next {:?}", of.goroutines.len(), of.next));
    let label = Filter { matching: Matching::Label("tenant=acme".to_owned()), negated: false };
    let labelled = client.goroutines(0, 100, &[label]).await.map(|page| page.goroutines);
    seen.all("labelled", labelled, goroutine);
    let groups = client.groups(0, 100, &Grouping::User, 1, &[]).await;
    seen.all("groups", groups.map(|of| of.groups), |of| {
        format!("{} of {} {}", of.members.len(), of.total, of.name.safe())
    });

    let started = |name: &str| {
        let of = all.goroutines.iter().find(|of| of.start.function.bytes() == name.as_bytes());
        of.or_else(|| all.goroutines.iter().find(|of| of.user.function.bytes() == name.as_bytes())).unwrap().id
    };
    let worker = started("main.worker");
    let stack = client.stack(Some(worker), 11, None).await.unwrap();
    seen.all("stack of a worker", Ok(stack.iter().collect()), |frame| {
        let defers: Vec<_> = frame.defers.iter().map(|defer| at(&defer.call)).collect();
        format!("{} defers {defers:?} bottom {} {:?}", at(&frame.location), frame.bottom, frame.error)
    });
    let of = |stack: &[Frame], name: &str| {
        stack.iter().position(|f| f.location.function.bytes() == name.as_bytes()).unwrap()
    };
    let scope = Scope::of(worker, of(&stack, "main.worker"));
    seen.all("its locals", client.locals(scope, LOAD).await, variable);

    let stack = client.stack(Some(1), 11, None).await.unwrap();
    let scope = Scope::of(1, of(&stack, "main.tick"));
    seen.all("arguments", client.arguments(scope, LITTLE).await, variable);
    let scope = Scope::of(1, of(&stack, "main.main"));
    let order = client.eval(scope, "order", LOAD).await;
    seen.one("an order", order.clone(), variable);
    if let Ok(order) = order {
        let fields = &order.children[0].children;
        for name in ["Customer", "Items", "Next"] {
            let field = fields.iter().find(|field| field.name.bytes() == name.as_bytes()).unwrap();
            let inner = if name == "Next" {
                field.children[0].children.iter().find(|of| of.more.is_some())
            } else {
                Some(field)
            };
            if let Some(more) = inner.and_then(|field| field.more.as_ref()) {
                let rest = client.eval(scope, &more.expression, LOAD).await;
                seen.one(&format!("more of {name}"), rest.clone(), variable);
                if let Some(more) = rest.ok().and_then(|rest| rest.more) {
                    seen.one("and more", client.eval(scope, &more.expression, LOAD).await, variable);
                }
            }
        }
    }
    seen.one("a sum", client.eval(scope, "main.hits - main.hits + len(order.Items)", LOAD).await, variable);
    seen.one("nothing", client.eval(scope, "nothing", LOAD).await, variable);
    seen.all("variables of main", client.package_variables("^main\\.", LOAD).await, |of| {
        format!("{} {}", of.name.safe(), of.type_name.safe())
    });
    seen.all("functions", client.functions("^main\\.[cpt]").await, |name| name.safe().into_string());
    seen.all("sources", client.sources("parked/main.go$").await, |name| name.safe().into_string());
    seen.all("threads", client.threads().await, |of| at(&of.location));
    let registers = client.registers(None).await.map(|mut all| all.drain(..3.min(all.len())).collect());
    seen.all("registers", registers, |of: &Register| of.name.safe().into_string());
    let park = client.find(Scope::current(), "main.park", &[]).await;
    seen.all("a place", park.clone(), at);
    let rules = [PathRule { from: "example.com/parked".into(), to: "/home/me/parked".into() }];
    let ours = client.find(Scope::current(), "/home/me/parked/main.go:66", &rules).await;
    seen.all("a place by a rule", ours, at);
    let start = park.unwrap()[0].pc;
    seen.all("code", client.disassemble(Scope::current(), start).await, |of| {
        format!("{} {} {:?} {}", of.location.line, of.text.safe(), of.bytes, of.current)
    });
    seen.one("memory", client.memory(start, 8).await, |bytes| format!("{bytes:?}"));
    let modules = [("example.com/parked".to_owned(), "/home/me/parked".to_owned())];
    let guessed = client.guess_path_rules("example.com/parked", "/usr/local/go", &modules).await;
    seen.all("guessed rules", guessed, |rule| format!("{} is {}", rule.from.safe(), rule.to.safe()));
    let other = client.threads().await.unwrap().last().unwrap().id;
    seen.one("another thread", client.switch_thread(other).await, |of| {
        format!("{}", of.thread.as_ref().unwrap().id == other)
    });
    seen.one("a goroutine", client.switch_goroutine(worker).await, state);
    // A core does not run.
    let seen_run = match client.resume(Resume::Continue).await.unwrap().stopped().await.unwrap() {
        After::Stopped(client, now) => (client, state(&now)),
        After::Refused(client, why) => (client, format!("refused: {why}")),
        After::Exited(status) => panic!("exited with {status}"),
    };
    seen.title("run");
    seen.say(seen_run.1);
    seen_run.0.detach().await.unwrap();
    seen.0
}

async fn go_on(seen: &mut Seen, title: &str, client: Stopped, how: Resume) -> Stopped {
    seen.title(title);
    match client.resume(how).await.unwrap().stopped().await.unwrap() {
        After::Stopped(client, now) => {
            seen.say(state(&now));
            client
        }
        After::Refused(client, why) => {
            seen.say(why);
            client
        }
        After::Exited(status) => panic!("exited with {status}"),
    }
}

/// Over a live process: everything that lets it run.
pub(super) async fn live(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> String {
    let mut seen = Seen::default();
    let (client, _) = Stopped::open(stream).await.unwrap();
    let tick = NewBreakpoint { name: "tick".to_owned(), ..NewBreakpoint::at(Place::Function("main.tick".to_owned())) };
    seen.one("on a function", client.set_breakpoint(&tick).await, breakpoint);
    seen.one("again", client.set_breakpoint(&tick).await, breakpoint);
    let line = |line| Place::Line { file: "example.com/parked/main.go".to_owned(), line };
    seen.one("on no line", client.set_breakpoint(&NewBreakpoint::at(line(9999))).await, breakpoint);
    let mut client = go_on(&mut seen, "continue", client, Resume::Continue).await;
    let scope = Scope::current();
    seen.all("arguments", client.arguments(scope, LITTLE).await, variable);
    for (title, how) in [
        ("next", Resume::Next),
        ("next again", Resume::Next),
        ("step into", Resume::Step),
        ("step out", Resume::StepOut),
        ("an instruction, over calls", Resume::NextInstruction),
    ] {
        client = go_on(&mut seen, title, client, how).await;
    }
    seen.one("set", client.set(scope, "main.hits", "-1000").await, |()| "done".to_owned());
    seen.one("hits", client.eval(scope, "main.hits", LOAD).await, variable);
    seen.one("set text", client.set(scope, "order.Customer", "nobody()").await, |()| "done".to_owned());
    let id = client.breakpoints().await.unwrap()[0].id;
    let change = Change { condition: Some("main.hits > 0".to_owned()), ..Change::default() };
    seen.one("a condition", client.change_breakpoint(id, &change).await, |()| "done".to_owned());
    seen.all("breakpoints", client.breakpoints().await, breakpoint);
    let rules = vec![PathRule { from: "example.com/parked".into(), to: "/home/me/parked".into() }];
    let traced = NewBreakpoint {
        tracepoint: true,
        variables: vec!["main.hits".to_owned()],
        stack: 2,
        arguments: Some(LITTLE),
        rules,
        ..NewBreakpoint::at(Place::Line { file: "/home/me/parked/main.go".to_owned(), line: 87 })
    };
    seen.one("a tracepoint", client.set_breakpoint(&traced).await, breakpoint);
    let client = go_on(&mut seen, "a tracepoint is hit", client, Resume::Continue).await;
    seen.one("off", client.toggle_breakpoint(id).await, breakpoint);
    for one in client.breakpoints().await.unwrap() {
        client.clear_breakpoint(one.id).await.unwrap();
    }
    seen.one("twice", client.clear_breakpoint(id).await, |()| "done".to_owned());

    let running = client.resume(Resume::Continue).await.unwrap();
    seen.one("while it runs", running.state().await, |of| format!("running {}", of.running));
    seen.one("halt", running.halt().await, |()| "done".to_owned());
    let After::Stopped(client, now) = running.stopped().await.unwrap() else { panic!("not stopped") };
    seen.one("halted", Ok(now), |of| format!("{:?}", of.stop));
    let running = client.resume(Resume::Continue).await.unwrap();
    running.detach().await.unwrap();
    seen.0
}

/// Over a live process that panics.
pub(super) async fn panic(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> String {
    let mut seen = Seen::default();
    let (client, _) = Stopped::open(stream).await.unwrap();
    client.set(Scope::current(), "main.hits", "-9000").await.unwrap();
    let running = client.resume(Resume::Continue).await.unwrap();
    let After::Stopped(client, now) = running.stopped().await.unwrap() else { panic!("not stopped") };
    let text = now.hits().find_map(|(_, hit)| hit.panic_text()).map(|text| text.safe().into_string());
    seen.one("a panic", Ok(now), |of| format!("{:?}: {text:?}", of.stop));
    let stack = client.stack(None, 5, None).await;
    seen.all("its stack", stack, |frame| at(&frame.location));
    let After::Exited(status) = client.resume(Resume::Continue).await.unwrap().stopped().await.unwrap() else {
        panic!("not ended")
    };
    seen.one("its end", Ok(status), i64::to_string);
    seen.0
}
