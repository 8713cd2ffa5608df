use std::sync::{Arc, Mutex};

use futures_util::stream;
use ratatui::backend::TestBackend;
use tokio_stream_like::channel_stream;

use super::*;
use crate::tui::app::Options;
use crate::tui::fake;
use crate::tui::message::{Answer, Log, Opened, Request};
use crate::tui::screens::dump::styled_dump;

/// A receiver as a stream, without another dependency.
mod tokio_stream_like {
    use futures_util::{Stream, stream};
    use tokio::sync::mpsc;

    pub(super) fn channel_stream<T: 'static>(receiver: mpsc::UnboundedReceiver<T>) -> impl Stream<Item = T> + Unpin {
        Box::pin(stream::unfold(
            receiver,
            |mut receiver| async move { receiver.recv().await.map(|item| (item, receiver)) },
        ))
    }
}

/// What the world did, for a test to look at.
#[derive(Default)]
struct World {
    frames: usize,
    suspended: usize,
    copied: Vec<String>,
    mouse: Option<bool>,
    effects: Vec<Effect>,
}

type Shared = Arc<Mutex<World>>;

struct FakeConsole(Shared);

impl Console for FakeConsole {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn end(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().frames += 1;
        Ok(())
    }
    fn suspend(&mut self) -> io::Result<bool> {
        self.0.lock().unwrap().suspended += 1;
        Ok(true)
    }
    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.0.lock().unwrap().mouse = Some(on);
        Ok(())
    }
    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().copied.push(text.to_owned());
        Ok(())
    }
}

/// Answers like an engine with one container, at once.
struct FakeRunner {
    world: Shared,
    out: mpsc::UnboundedSender<Msg>,
    generation: u64,
}

impl Runner for FakeRunner {
    fn run(&mut self, effect: Effect) {
        self.world.lock().unwrap().effects.push(effect.clone());
        let answer = match effect {
            Effect::Watch => Msg::Containers(Ok(fake::summaries())),
            Effect::Open { generation, .. } => {
                self.generation = generation;
                let opened = Opened { target: fake::target(), session: Ok(fake::session()) };
                Msg::Opened { generation, result: Ok(Box::new(opened)) }
            }
            Effect::Read { generation, request } => {
                let answer = match &request {
                    Request::Processes => Answer::Processes(fake::processes(), Duration::from_secs(1)),
                    Request::Detail(_) | Request::Init(_) => Answer::Detail(Box::new(fake::detail())),
                    Request::Goroutines(_) => fake::golang::answer(fake::golang::goroutines(3)),
                    Request::Network => Answer::Network(Box::new(fake::network())),
                    Request::Program => Answer::Program(fake::program()),
                    Request::Check => Answer::Check(fake::checked()),
                    Request::List(_) | Request::Open(_) | Request::View { .. } => {
                        Answer::Files(crate::inspect::files::Listing { entries: fake::files(), cut: false })
                    }
                };
                Msg::Reading { generation, request, result: Ok(answer) }
            }
            Effect::Logs { stream, .. } => Msg::Log { stream, what: Log::Lines(fake::log()) },
            _ => return,
        };
        let _ = self.out.send(answer);
    }
}

/// A program that runs on a screen nobody sees.
struct Show {
    world: Shared,
    keys: mpsc::UnboundedSender<io::Result<Msg>>,
    out: mpsc::Sender<Msg>,
    run: tokio::task::JoinHandle<(Result<End, Error>, String)>,
    last: Arc<Mutex<String>>,
}

/// A backend that can be looked at while it is in use.
struct Watched {
    inner: TestBackend,
    last: Arc<Mutex<String>>,
}

impl Backend for Watched {
    type Error = core::convert::Infallible;
    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a ratatui::buffer::Cell)>,
    {
        self.inner.draw(content)
    }
    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.hide_cursor()
    }
    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.show_cursor()
    }
    fn get_cursor_position(&mut self) -> Result<ratatui::layout::Position, Self::Error> {
        self.inner.get_cursor_position()
    }
    fn set_cursor_position<P: Into<ratatui::layout::Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.inner.set_cursor_position(position)
    }
    fn clear(&mut self) -> Result<(), Self::Error> {
        self.inner.clear()
    }
    fn clear_region(&mut self, clear_type: ratatui::backend::ClearType) -> Result<(), Self::Error> {
        self.inner.clear_region(clear_type)
    }
    fn size(&self) -> Result<ratatui::layout::Size, Self::Error> {
        self.inner.size()
    }
    fn window_size(&mut self) -> Result<ratatui::backend::WindowSize, Self::Error> {
        self.inner.window_size()
    }
    fn flush(&mut self) -> Result<(), Self::Error> {
        *self.last.lock().unwrap() = styled_dump(self.inner.buffer());
        self.inner.flush()
    }
}

impl Show {
    fn start(options: Options) -> Self {
        let world = Shared::default();
        let last = Arc::new(Mutex::new(String::new()));
        let (keys, input) = mpsc::unbounded_channel();
        let (answers, mut answered) = mpsc::unbounded_channel();
        let (out, messages) = mpsc::channel(64);
        let forward = out.clone();
        tokio::spawn(async move {
            while let Some(message) = answered.recv().await {
                let _ = forward.send(message).await;
            }
        });
        let size = options.size;
        let backend = Watched { inner: TestBackend::new(size.0, size.1), last: Arc::clone(&last) };
        let (app, effects) = App::new(options);
        let runtime = Runtime {
            app,
            terminal: Terminal::new(backend).unwrap(),
            console: FakeConsole(Arc::clone(&world)),
            runner: FakeRunner { world: Arc::clone(&world), out: answers, generation: 0 },
            input: channel_stream(input),
            messages,
            signals: std::future::pending(),
        };
        let seen = Arc::clone(&last);
        let run = tokio::spawn(async move {
            let end = runtime.run(effects).await;
            let screen = seen.lock().unwrap().clone();
            (end, screen)
        });
        Self { world, keys, out, run, last }
    }

    fn press(&self, keys: &str) {
        for key in keys.split(' ') {
            for key in Key::parse_sequence(key).unwrap() {
                self.keys.send(Ok(Msg::Key(key))).unwrap();
            }
        }
    }

    /// Lets everything happen that happens within half a second. The clock stands still while there is work.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    /// What was last drawn. The loop reads the real clock, so how long a container runs is left out, and so is how far its
    /// colour reaches.
    fn screen(&self) -> String {
        let age = regex::Regex::new(r"running for [0-9dhms ]+").unwrap();
        let reach = regex::Regex::new(r"11:15-\d+ fg=Green").unwrap();
        let text = age.replace_all(&self.last.lock().unwrap(), "running for AGE ").into_owned();
        reach.replace_all(&text, "11:15-END fg=Green").into_owned()
    }

    fn frames(&self) -> usize {
        self.world.lock().unwrap().frames
    }
}

fn options() -> Options {
    Options { size: (80, 24), ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn from_the_picker_to_a_file_and_out() {
    let show = Show::start(options());
    show.settle().await;
    insta::assert_snapshot!("app_1_picker", show.screen());
    show.press("/ s h o p Enter Enter");
    show.settle().await;
    insta::assert_snapshot!("app_2_overview", show.screen());
    show.press("3");
    show.settle().await;
    show.press("/ t i m e o u t Enter");
    show.settle().await;
    insta::assert_snapshot!("app_3_search", show.screen());
    show.press("4 j j");
    show.settle().await;
    insta::assert_snapshot!("app_4_files", show.screen());
    show.press("2 Enter");
    show.settle().await;
    insta::assert_snapshot!("app_5_process", show.screen());
    show.press("q q q");
    let (end, _) = show.run.await.unwrap();
    assert_eq!(end.unwrap(), End::Quit);
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_needs_no_engine() {
    let show = Show::start(options());
    tokio::task::yield_now().await;
    assert!(show.screen().contains("asking the engine"), "{}", show.screen());
}

#[tokio::test(start_paused = true)]
async fn idle_is_no_frame_at_all() {
    let show = Show::start(options());
    show.settle().await;
    let frames = show.frames();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(show.frames(), frames);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_drawn_thirty_times_a_second_at_most_and_keys_get_through() {
    let show = Show::start(options());
    show.settle().await;
    show.press("Enter 3");
    show.settle().await;
    let before = show.frames();
    let begin = Instant::now();
    for round in 0..400u64 {
        let lines = (0..512).map(|at| fake::line(format!("{round} {at}"), false)).collect();
        show.out.send(Msg::Log { stream: 1, what: Log::Lines(lines) }).await.unwrap();
        if round % 20 == 0 {
            // The paused clock moves only when all wait: this is a slow flood, in slices of 5 ms.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let elapsed = begin.elapsed();
    let most = elapsed.as_millis() / 33 + 2;
    assert!(((show.frames() - before) as u128) <= most, "{} frames in {elapsed:?}", show.frames() - before);
    show.press("w");
    show.settle().await;
    assert!(show.screen().contains("wrapped"), "{}", show.screen());
}

#[tokio::test(start_paused = true)]
async fn the_terminal_gets_what_is_its_own() {
    let show = Show::start(options());
    show.settle().await;
    show.press("y m ^z");
    show.settle().await;
    {
        let world = show.world.lock().unwrap();
        assert_eq!((world.copied.len(), world.mouse, world.suspended), (1, Some(true), 1));
        assert!(!world.effects.iter().any(|effect| matches!(effect, Effect::Copy(_) | Effect::Suspend)));
    }
    assert!(show.screen().contains("Containers"), "drawn anew after coming back");
    show.press("^c");
    assert_eq!(show.run.await.unwrap().0.unwrap(), End::Quit);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_goes_away_ends_it() {
    let show = Show::start(options());
    drop(show.keys);
    assert_eq!(show.run.await.unwrap().0.unwrap(), End::Signal);
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it() {
    let (app, effects) = App::new(options());
    let world = Shared::default();
    let (out, _answers) = mpsc::unbounded_channel();
    let (_sender, messages) = mpsc::channel(1);
    let runtime = Runtime {
        app,
        terminal: Terminal::new(TestBackend::new(80, 24)).unwrap(),
        console: FakeConsole(Arc::clone(&world)),
        runner: FakeRunner { world, out, generation: 0 },
        input: Box::pin(stream::pending()),
        messages,
        signals: Box::pin(tokio::time::sleep(Duration::from_secs(3))),
    };
    assert_eq!(runtime.run(effects).await.unwrap(), End::Signal);
}
