//! What an editor may not ask for.

use serde_json::Value;

use super::super::message::{Message, What};
use super::{Subject, Terms};

/// Why a request is refused, if it is.
pub(super) fn refused(message: &Message, terms: &Terms) -> Option<&'static str> {
    let What::Request { command } = &message.what else { return None };
    let core = terms.subject == Subject::Core;
    match command.as_str() {
        "launch" => Some("nothing is started here: use \"request\": \"attach\" with \"mode\": \"remote\""),
        "restart" => Some("what runs in a container is not started anew from here"),
        "terminateThreads" => Some("no goroutine is killed from here"),
        "continue" | "next" | "stepIn" | "stepOut" | "stepBack" | "reverseContinue" | "restartFrame" | "goto"
            if core =>
        {
            Some("this is a core: nothing in it runs")
        }
        // One that a breakpoint stops kills the process when Delve lets go.
        "evaluate" | "setVariable" | "setExpression" if !core && !terms.may_call && calls(command, message) => Some(
            "this would call a function in the process, which can end it when the editor leaves; allow it with --may-call",
        ),
        _ => None,
    }
}

/// Whether a function may be called in the process for it: `call f()` on the console; a new value that is a call, or text,
/// for which memory is had by a call.
fn calls(command: &str, message: &Message) -> bool {
    let text = |name| message.field("arguments", name).and_then(Value::as_str).unwrap_or_default();
    match command {
        "evaluate" => text("expression")
            .trim_start()
            .strip_prefix("call")
            .is_some_and(|rest| rest.starts_with(char::is_whitespace)),
        _ => text("value").contains(['"', '`', '(']),
    }
}
