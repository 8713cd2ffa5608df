//! What a person can do, and where.

/// Everything a key or a `:` command can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the table in `table.rs` says what each one does")]
pub enum Action {
    // Everywhere, even while typing.
    Quit,
    Suspend,
    Redraw,
    // Everywhere but in a prompt.
    Help,
    Command,
    Search,
    Peel,
    Back,
    Tab(Tab),
    NextTab,
    PreviousTab,
    NextPane,
    PreviousPane,
    Freeze,
    Yank,
    YankAll,
    Refresh,
    Mouse,
    Theme,
    Attach,
    Containers,
    Pods,
    Context,
    Namespace,
    Everywhere,
    // Motions.
    Up,
    Down,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Left,
    Right,
    // Panes.
    Open,
    OpenLogs,
    All,
    Sort,
    Reverse,
    Tree,
    Pid,
    Reveal,
    Next,
    Previous,
    Follow,
    Filter,
    Streams,
    Times,
    Wrap,
    Since,
    Save,
    Parent,
    Go,
    Hidden,
    Copy,
    Hex,
    Offset,
    // The debugger.
    Snapshot,
    DebugLive,
    Group,
    FrameUp,
    FrameDown,
    Print,
    Pin,
    Unpin,
    Rule,
    Detach,
    Continue,
    StepOver,
    StepIn,
    StepOut,
    RunTo,
    Halt,
    Break,
    Trace,
    Condition,
    HitCondition,
    Toggle,
    BreakpointList,
    Set,
    DebugFile,
    // Layers.
    Close,
    Yes,
    No,
    // A line being typed.
    Accept,
    Cancel,
    Complete,
    Older,
    Newer,
    CharLeft,
    CharRight,
    LineStart,
    LineEnd,
    EraseLeft,
    EraseRight,
    EraseWord,
    EraseLine,
}

impl Action {
    /// Whether it moves in a list or a text.
    #[must_use]
    pub fn moves(self) -> bool {
        use Action::{Bottom, Down, HalfDown, HalfUp, Left, PageDown, PageUp, Right, Top, Up};
        matches!(self, Up | Down | HalfUp | HalfDown | PageUp | PageDown | Top | Bottom | Left | Right)
    }
}

/// The views of one container, in the order of their numbers. Later views get the numbers after these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tab {
    /// What it is.
    Overview,
    /// Its processes.
    Procs,
    /// Its log.
    Logs,
    /// Its files.
    Files,
    /// Its network.
    Net,
    /// What was done to show all that.
    Activity,
    /// What its program does.
    Debug,
    /// Its goroutines, while it runs on.
    Go,
}

impl Tab {
    /// All of them, in order.
    pub const ALL: [Self; 8] =
        [Self::Overview, Self::Procs, Self::Logs, Self::Files, Self::Net, Self::Activity, Self::Debug, Self::Go];

    /// What its tab is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Procs => "Procs",
            Self::Logs => "Logs",
            Self::Files => "Files",
            Self::Net => "Net",
            Self::Activity => "Activity",
            Self::Debug => "Debug",
            Self::Go => "Go",
        }
    }

    /// The tab `step` places further, round and round.
    #[must_use]
    pub fn step(self, step: isize) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or_default();
        let next = at.cast_signed().saturating_add(step).rem_euclid(Self::ALL.len().cast_signed());
        Self::ALL.get(next.cast_unsigned()).copied().unwrap_or(self)
    }
}

/// Where the keys go: the pane that has the focus, or a layer above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Keys that work even while a line is typed.
    Always,
    /// Keys of every pane.
    Global,
    /// Motions of every pane and layer that scrolls.
    Motion,
    /// Scrolling to the sides.
    Sideways,
    /// The list of containers.
    Picker,
    /// The list of a cluster's pods.
    Pods,
    /// What the container is.
    Overview,
    /// Its processes.
    Procs,
    /// One process in full.
    Process,
    /// The log.
    Logs,
    /// One long line of the log.
    Line,
    /// A directory.
    Files,
    /// One file.
    Viewer,
    /// The network.
    Net,
    /// What was done, step by step.
    Activity,
    /// The depths of looking with a debugger, before a session.
    Depths,
    /// What every session with a debugger shares.
    Debug,
    /// A session over a copy of a process.
    Copy,
    /// A session on a process that runs.
    Live,
    /// The threads of a process, without a debugger.
    Threads,
    /// Goroutines, while the process runs on.
    Goroutines,
    /// The list of keys.
    Help,
    /// A message that must be read.
    Message,
    /// A question.
    Confirm,
    /// A list to choose from.
    Choose,
    /// A line being typed.
    Prompt,
}

impl Mode {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 26] = [
        Self::Picker,
        Self::Pods,
        Self::Overview,
        Self::Procs,
        Self::Process,
        Self::Logs,
        Self::Line,
        Self::Files,
        Self::Viewer,
        Self::Net,
        Self::Activity,
        Self::Depths,
        Self::Copy,
        Self::Live,
        Self::Debug,
        Self::Threads,
        Self::Goroutines,
        Self::Motion,
        Self::Sideways,
        Self::Global,
        Self::Always,
        Self::Help,
        Self::Message,
        Self::Confirm,
        Self::Choose,
        Self::Prompt,
    ];

    /// Its heading in the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Global => "Everywhere",
            Self::Motion => "Moving",
            Self::Sideways => "Sideways",
            Self::Picker => "Containers",
            Self::Pods => "Pods",
            Self::Overview => "Overview",
            Self::Procs => "Procs",
            Self::Process => "Process",
            Self::Logs => "Logs",
            Self::Line => "Log line",
            Self::Files => "Files",
            Self::Viewer => "File",
            Self::Net => "Net",
            Self::Activity => "Activity",
            Self::Depths => "Debug",
            Self::Debug => "Debugging",
            Self::Copy => "Snapshot",
            Self::Live => "Live process",
            Self::Threads => "Threads",
            Self::Goroutines => "Go",
            Self::Help => "Help",
            Self::Message => "Message",
            Self::Confirm => "Question",
            Self::Choose => "Choice",
            Self::Prompt => "Typing",
        }
    }

    /// Where a key is looked for, in order: the mode itself, then what it shares with others.
    #[must_use]
    pub fn chain(self) -> &'static [Self] {
        use Mode::{
            Activity, Always, Choose, Confirm, Copy, Debug, Depths, Files, Global, Goroutines, Help, Line, Live, Logs,
            Message, Motion, Net, Overview, Picker, Pods, Process, Procs, Prompt, Sideways, Threads, Viewer,
        };
        match self {
            Always => &[Always],
            Global => &[Global, Always],
            Motion => &[Motion],
            Sideways => &[Sideways],
            Picker => &[Picker, Motion, Global, Always],
            Pods => &[Pods, Motion, Global, Always],
            Overview => &[Overview, Motion, Global, Always],
            Procs => &[Procs, Motion, Sideways, Global, Always],
            Process => &[Process, Motion, Sideways, Global, Always],
            Logs => &[Logs, Motion, Sideways, Global, Always],
            Line => &[Line, Motion, Always],
            Files => &[Files, Motion, Global, Always],
            Viewer => &[Viewer, Motion, Sideways, Global, Always],
            Net => &[Net, Motion, Sideways, Global, Always],
            Activity => &[Activity, Motion, Sideways, Global, Always],
            Depths => &[Depths, Motion, Global, Always],
            Debug => &[Debug],
            Copy => &[Copy, Debug, Motion, Sideways, Global, Always],
            Live => &[Live, Debug, Motion, Sideways, Global, Always],
            Threads => &[Threads, Motion, Sideways, Global, Always],
            Goroutines => &[Goroutines, Motion, Sideways, Global, Always],
            Help => &[Help, Motion, Always],
            Message => &[Message, Motion, Always],
            Confirm => &[Confirm, Always],
            Choose => &[Choose, Motion, Always],
            Prompt => &[Prompt, Always],
        }
    }
}
