//! The table: every key, in every mode, with its words. Nothing else in the program names a key.

use super::action::{Action, Mode, Tab};

/// One action in one mode.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it works.
    pub mode: Mode,
    /// What it does.
    pub action: Action,
    /// Keys, separated by spaces; may be empty: then only the name reaches it.
    pub keys: &'static str,
    /// Its name on the `:` line, the same in every mode.
    pub name: &'static str,
    /// What the name may be followed by on the `:` line; empty if nothing.
    pub argument: &'static str,
    /// What it does, for the help.
    pub help: &'static str,
    /// One word for the line at the bottom; empty keeps it off that line.
    pub hint: &'static str,
}

const fn b(
    mode: Mode,
    action: Action,
    keys: &'static str,
    name: &'static str,
    help: &'static str,
    hint: &'static str,
) -> Binding {
    Binding { mode, action, keys, name, argument: "", help, hint }
}

const fn with(binding: Binding, argument: &'static str) -> Binding {
    Binding { argument, ..binding }
}

use Action as A;
use Mode as M;

/// Every binding. Order is the order of help, footer and documentation.
pub const TABLE: &[Binding] = &[
    b(M::Picker, A::Open, "Enter", "open", "open the container", "open"),
    b(M::Picker, A::OpenLogs, "l", "openlogs", "open the container at its log", "logs"),
    with(b(M::Picker, A::Search, "/", "search", "filter by name, image, id or state", "filter"), "[RE]"),
    b(M::Picker, A::All, "a", "all", "show stopped containers too, or only running ones", "all/running"),
    b(M::Picker, A::Sort, "s", "sort", "sort by the next column", "sort"),
    b(M::Picker, A::Reverse, "S", "reverse", "turn the order round", ""),
    b(M::Picker, A::Yank, "y", "yank", "copy the container's id", "copy id"),
    b(M::Picker, A::YankAll, "Y", "yankall", "copy the list", ""),
    b(M::Overview, A::Yank, "y", "yank", "copy the container's id", "copy id"),
    b(M::Overview, A::YankAll, "Y", "yankall", "copy the whole page", ""),
    b(M::Procs, A::Open, "Enter", "open", "show the process in full", "detail"),
    with(b(M::Procs, A::Search, "/", "search", "filter by command, user or pid", "filter"), "[RE]"),
    b(M::Procs, A::Tree, "t", "tree", "tree or flat list", "tree"),
    b(M::Procs, A::Sort, "s", "sort", "sort by the next column (flat list)", "sort"),
    b(M::Procs, A::Reverse, "S", "reverse", "turn the order round", ""),
    b(M::Procs, A::Yank, "y", "yank", "copy the command line", "copy"),
    b(M::Procs, A::YankAll, "Y", "yankall", "copy the list", ""),
    with(b(M::Process, A::Search, "/", "search", "search", "search"), "[RE]"),
    b(M::Process, A::Next, "n", "next", "next match", "next"),
    b(M::Process, A::Previous, "N", "previous", "previous match", ""),
    b(M::Process, A::NextPane, "Tab", "nextpane", "next section", "section"),
    b(M::Process, A::PreviousPane, "S-Tab", "previouspane", "previous section", ""),
    b(
        M::Process,
        A::Reveal,
        "v",
        "reveal",
        "show or mask values that look like secrets (masked at first: screens are shared)",
        "secrets",
    ),
    b(M::Process, A::Yank, "y", "yank", "copy the line, as it is shown", "copy"),
    b(M::Process, A::YankAll, "Y", "yankall", "copy the whole page, as it is shown", ""),
    with(
        b(M::Logs, A::Search, "/", "search", "search; a regular expression, small letters match both cases", "search"),
        "[RE]",
    ),
    b(M::Logs, A::Next, "n", "next", "next match", "next"),
    b(M::Logs, A::Previous, "N", "previous", "previous match", ""),
    with(
        b(M::Logs, A::Filter, "&", "filter", "show only lines that match; !RE shows those that do not", "filter"),
        "[!]RE",
    ),
    b(M::Logs, A::Follow, "f", "follow", "follow the end, or stop following", "follow"),
    b(M::Logs, A::Streams, "e", "streams", "both streams, stderr only, stdout only", "stderr"),
    b(M::Logs, A::Times, "t", "times", "show the time of each line", "time"),
    b(M::Logs, A::Wrap, "w", "wrap", "wrap long lines", "wrap"),
    with(
        b(M::Logs, A::Since, "T", "since", "how far back: newest lines, 1m, 5m, 15m, 1h, all", "since"),
        "tail|1m|5m|15m|1h|all",
    ),
    with(b(M::Logs, A::Save, "^s", "save", "save the lines shown to a file on this host", "save"), "FILE"),
    b(M::Logs, A::Open, "Enter o", "open", "show the whole line", "line"),
    b(M::Logs, A::Yank, "y", "yank", "copy the line", "copy"),
    b(M::Logs, A::YankAll, "Y", "yankall", "copy the lines on the screen", ""),
    b(M::Files, A::Open, "Enter", "open", "open the directory, or view the file", "open"),
    b(M::Files, A::Go, "l Right", "enter", "the same", ""),
    b(M::Files, A::Parent, "h Left Backspace", "parent", "up to the parent directory", "up"),
    with(b(M::Files, A::Search, "/", "search", "filter by name", "filter"), "[RE]"),
    with(b(M::Files, A::Copy, "w", "copy", "copy the file out to this host; asks for the name", "copy out"), "FILE"),
    b(M::Files, A::Hidden, "a", "hidden", "show or hide names that start with a dot", "dotfiles"),
    b(M::Files, A::Sort, "s", "sort", "sort by the next column", "sort"),
    b(M::Files, A::Reverse, "S", "reverse", "turn the order round", ""),
    b(M::Files, A::Yank, "y", "yank", "copy the path", "copy path"),
    b(M::Files, A::YankAll, "Y", "yankall", "copy the list", ""),
    with(b(M::Viewer, A::Search, "/", "search", "search in the part that is loaded", "search"), "[RE]"),
    b(M::Viewer, A::Next, "n", "next", "next match", "next"),
    b(M::Viewer, A::Previous, "N", "previous", "previous match", ""),
    b(M::Viewer, A::Hex, "x", "hex", "text or hexadecimal", "hex"),
    b(M::Viewer, A::Follow, "f", "follow", "follow the end of a growing file", "follow"),
    with(b(M::Viewer, A::Offset, "o", "offset", "go to an offset: 4096, 0x1000, 50% or end", "offset"), "OFFSET"),
    with(b(M::Viewer, A::Copy, "w", "copy", "copy the file out to this host; asks for the name", "copy out"), "FILE"),
    b(M::Viewer, A::Yank, "y", "yank", "copy the path", "copy path"),
    b(M::Viewer, A::YankAll, "Y", "yankall", "copy the text on the screen", ""),
    with(b(M::Net, A::Search, "/", "search", "filter", "filter"), "[RE]"),
    b(M::Net, A::NextPane, "Tab", "nextpane", "sockets, interfaces, routes, resolver, hosts", "section"),
    b(M::Net, A::PreviousPane, "S-Tab", "previouspane", "the same, backwards", ""),
    b(M::Net, A::Sort, "s", "sort", "sort by the next column", "sort"),
    b(M::Net, A::Reverse, "S", "reverse", "turn the order round", ""),
    b(M::Net, A::Yank, "y", "yank", "copy the line", "copy"),
    b(M::Net, A::YankAll, "Y", "yankall", "copy the list", ""),
    b(M::Motion, A::Down, "j Down", "down", "down", ""),
    b(M::Motion, A::Up, "k Up", "up", "up", ""),
    b(M::Motion, A::HalfDown, "^d", "halfdown", "half a page down", ""),
    b(M::Motion, A::HalfUp, "^u", "halfup", "half a page up", ""),
    b(M::Motion, A::PageDown, "^f PgDn", "pagedown", "a page down", ""),
    b(M::Motion, A::PageUp, "^b PgUp", "pageup", "a page up", ""),
    b(M::Motion, A::Top, "gg Home", "top", "to the top", ""),
    b(M::Motion, A::Bottom, "G End", "bottom", "to the bottom; a log or a file is followed from there", ""),
    b(M::Sideways, A::Left, "h Left", "left", "to the left", ""),
    b(M::Sideways, A::Right, "l Right", "right", "to the right", ""),
    b(M::Global, A::Help, "? F1", "help", "this list", "help"),
    b(M::Global, A::Command, ":", "command", "type a command", "command"),
    b(M::Global, A::Back, "q", "back", "back; at the first screen, quit", "back/quit"),
    b(M::Global, A::Peel, "Esc", "peel", "take away one layer: search, filter, view; never quits", ""),
    b(M::Global, A::Tab(Tab::Overview), "1", "overview", "what the container is", ""),
    b(M::Global, A::Tab(Tab::Procs), "2", "procs", "its processes", ""),
    b(M::Global, A::Tab(Tab::Logs), "3", "logs", "its log", ""),
    with(b(M::Global, A::Tab(Tab::Files), "4", "files", "its files", ""), "[PATH]"),
    b(M::Global, A::Tab(Tab::Net), "5", "net", "its network", ""),
    b(M::Global, A::NextTab, "]", "nexttab", "next tab", ""),
    b(M::Global, A::PreviousTab, "[", "previoustab", "previous tab", ""),
    b(M::Global, A::Freeze, "Space", "freeze", "hold the screen still; data keep arriving", ""),
    b(M::Global, A::Refresh, "^r", "refresh", "read again; connect again", ""),
    b(M::Global, A::Mouse, "m", "mouse", "mouse on or off (off, the terminal selects text)", ""),
    with(b(M::Global, A::Theme, "", "theme", "colours", ""), "ansi|light|mono"),
    with(b(M::Global, A::Attach, "", "attach", "open another target", ""), "TARGET"),
    b(M::Global, A::Containers, "", "containers", "back to the list of containers", ""),
    with(b(M::Global, A::Pid, "", "pid", "show one process in full", ""), "PID"),
    b(M::Always, A::Quit, "^c", "quit", "quit", ""),
    b(M::Always, A::Suspend, "^z", "suspend", "suspend; `fg` comes back", ""),
    b(M::Always, A::Redraw, "^l", "redraw", "draw the screen anew", ""),
    b(M::Line, A::Close, "Esc q Enter o", "close", "close", "close"),
    b(M::Line, A::Yank, "y", "yank", "copy the line", "copy"),
    b(M::Help, A::Close, "Esc q ? F1", "close", "close; Esc takes away a filter first", "close"),
    b(M::Help, A::Search, "/", "search", "filter", "filter"),
    b(M::Message, A::Close, "Esc q Enter", "close", "close", "close"),
    b(M::Message, A::Yank, "y", "yank", "copy the message", "copy"),
    b(M::Confirm, A::Yes, "y", "yes", "yes", "yes"),
    b(M::Confirm, A::No, "n Enter Esc q", "no", "no", "no"),
    b(M::Prompt, A::Accept, "Enter", "accept", "accept the line", "accept"),
    b(M::Prompt, A::Cancel, "Esc", "cancel", "leave it as it was", "cancel"),
    b(M::Prompt, A::Complete, "Tab", "complete", "complete the word", "complete"),
    b(M::Prompt, A::Older, "Up", "older", "an older line", "older"),
    b(M::Prompt, A::Newer, "Down", "newer", "a newer line", ""),
    b(M::Prompt, A::CharLeft, "Left ^b", "charleft", "a character to the left", ""),
    b(M::Prompt, A::CharRight, "Right ^f", "charright", "a character to the right", ""),
    b(M::Prompt, A::LineStart, "Home ^a", "linestart", "to the start", ""),
    b(M::Prompt, A::LineEnd, "End ^e", "lineend", "to the end", ""),
    b(M::Prompt, A::EraseLeft, "Backspace ^h", "eraseleft", "erase to the left", ""),
    b(M::Prompt, A::EraseRight, "Delete ^d", "eraseright", "erase to the right", ""),
    b(M::Prompt, A::EraseWord, "^w", "eraseword", "erase a word", ""),
    b(M::Prompt, A::EraseLine, "^u", "eraseline", "erase all", ""),
];
