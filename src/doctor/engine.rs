//! Whether an engine answers.

use std::time::Duration;

use super::Check;
use crate::commands::Context;

/// How long an engine may take.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn answers(context: &Context) -> Check {
    const NAME: &str = "engine";
    let engine = match context.engine() {
        Ok(engine) => engine,
        Err(failure) => return Check::fail(NAME, failure.message, failure.hint.unwrap_or_default()),
    };
    match tokio::time::timeout(PATIENCE, engine.list()).await {
        Ok(Ok(containers)) => {
            let running = containers.iter().filter(|one| one.state == crate::engine::State::Running).count();
            Check::ok(NAME, format!("answers; {} containers, {running} running", containers.len()))
        }
        Ok(Err(error)) => {
            let failure = crate::exit::Failure::from(error);
            let fix = failure.hint.unwrap_or_else(|| "pid://N needs no engine".to_owned());
            Check::fail(NAME, failure.message, fix)
        }
        Err(_) => Check::fail(NAME, "no answer within 3 s", "is the engine's daemon stuck? pid://N needs no engine"),
    }
}
