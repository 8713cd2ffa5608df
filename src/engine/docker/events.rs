//! The event endpoint.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt as _, stream};

use super::{Docker, Error, FOREVER};
use crate::engine::event::{Event, Happened};
use crate::engine::labels;

impl Docker {
    /// What happens to containers from now on. The stream ends with an error when the engine goes away;
    /// whoever listens asks again, with [`Docker::list`] for what was missed.
    pub fn events(&self) -> impl Stream<Item = Result<Event, Error>> + Send + use<> {
        let filters = HashMap::from([("type".to_owned(), vec!["container".to_owned()])]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let docker = self.clone();
        let messages = self.bollard.clone().with_timeout(Duration::from_secs(FOREVER)).events(Some(options));
        let events = messages.filter_map(move |message| {
            let event = match message {
                Ok(message) => event(message).map(Ok),
                Err(error) => Some(Err(docker.failed("tell what happens", error))),
            };
            std::future::ready(event)
        });
        let end = Error::Lost { endpoint: self.endpoint(), why: "it closed the connection".to_owned() };
        // After an error there is nothing more to come; a silent end is an error too.
        events.chain(stream::iter([Err(end)])).scan(false, |ended, item| {
            let go_on = !*ended;
            *ended |= item.is_err();
            std::future::ready(go_on.then_some(item))
        })
    }
}

fn event(message: EventMessage) -> Option<Event> {
    let actor = message.actor?;
    let id = actor.id.filter(|id| !id.is_empty())?;
    let attributes = actor.attributes.unwrap_or_default();
    // Our own sidecars come and go with us; whoever listens would be woken by what it does itself.
    if labels::is_ours(&attributes) {
        return None;
    }
    let get = |name: &str| attributes.get(name).map(|value| value.trim_start_matches('/').to_owned());
    let action = message.action?;
    // `health_status: healthy`, `exec_start: /bin/sh -c …`
    let (word, rest) = action.split_once(": ").unwrap_or((&action, ""));
    let what = match word {
        "create" => Happened::Created,
        "start" => Happened::Started,
        // Podman says `died`.
        "die" | "died" => Happened::Died(get("exitCode").and_then(|code| code.parse().ok())),
        "oom" => Happened::OutOfMemory,
        "pause" => Happened::Paused,
        "unpause" => Happened::Unpaused,
        "restart" => Happened::Restarted,
        "destroy" | "remove" => Happened::Destroyed,
        "rename" => Happened::Renamed(get("oldName").unwrap_or_default()),
        "health_status" => Happened::Health(rest.to_owned()),
        "kill" => Happened::Signalled(get("signal")),
        _ => Happened::Other(word.to_owned()),
    };
    let time = message.time_nano.or_else(|| message.time?.checked_mul(1_000_000_000));
    Some(Event { name: get("name").unwrap_or_default(), id, time: time.and_then(moment), what })
}

fn moment(nanos: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_understood() {
        for (action, attributes, what) in [
            ("start", "", Happened::Started),
            ("die", r#""exitCode":"137","#, Happened::Died(Some(137))),
            ("die", "", Happened::Died(None)),
            ("rename", r#""oldName":"/before","#, Happened::Renamed("before".into())),
            ("health_status: unhealthy", "", Happened::Health("unhealthy".into())),
            ("kill", r#""signal":"9","#, Happened::Signalled(Some("9".into()))),
            ("exec_start: /bin/sh", "", Happened::Other("exec_start".into())),
        ] {
            let text = format!(
                r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"abc","Attributes":{{{attributes}"name":"web"}}}},
                "scope":"local","time":1700000000,"timeNano":1700000000000000001}}"#
            );
            let event = event(serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!((event.id.as_str(), event.name.as_str(), event.what), ("abc", "web", what));
            assert_eq!(event.time, Some(UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_001)));
        }
    }

    #[test]
    fn an_event_of_nobody_is_left_out() {
        assert_eq!(event(serde_json::from_str(r#"{"Action":"start"}"#).unwrap()), None);
        assert_eq!(event(serde_json::from_str(r#"{"Action":"start","Actor":{"ID":""}}"#).unwrap()), None);
        let ours = r#"{"Action":"start","Actor":{"ID":"a","Attributes":{"io.scratchdbg.owner":"scratchdbg"}}}"#;
        assert_eq!(event(serde_json::from_str(ours).unwrap()), None);
    }
}
