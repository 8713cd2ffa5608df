//! What is known of a pod whose log is followed, and what is asked for next.

use std::time::SystemTime;

use crate::engine::State;
use crate::engine::kube::Pod;

/// What is known of one.
#[derive(Debug, Default)]
pub struct Known {
    /// The pod and the run of its container that was followed last.
    run: Option<(String, String)>,
    stands: Stands,
    /// When the last line came.
    last: Option<SystemTime>,
    /// Lines up to then have been shown already.
    shown: Option<SystemTime>,
}

/// Where its log stands.
#[derive(Debug, Default, PartialEq, Eq)]
enum Stands {
    /// It has not been asked for.
    #[default]
    Unread,
    /// It comes.
    Open,
    /// It has ended.
    Ended,
    /// It could not be had, and that was told.
    Failed,
}

/// What is asked for next.
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// Nothing.
    Nothing,
    /// The log, from where it was asked for.
    AsAsked,
    /// All of the log.
    Whole,
    /// The log from then on, some of which may have been shown.
    Since(SystemTime),
}

impl Known {
    /// It is there, and so: what of its log is wanted. `first` when nothing was followed before.
    pub fn meets(&mut self, pod: &Pod, first: bool) -> What {
        // Before a container runs for the first time it has no log.
        if self.stands == Stands::Open || pod.container.id.is_empty() {
            return What::Nothing;
        }
        let run = (pod.uid.clone(), pod.container.id.clone());
        let what = match &self.run {
            _ if self.stands == Stands::Failed => return What::Nothing,
            None if first => What::AsAsked,
            None => What::Whole,
            Some(before) if *before != run => What::Whole,
            // It runs, and its log has ended: the connection has.
            Some(_) if pod.container.state == State::Running => self.last.map_or(What::Whole, What::Since),
            Some(_) => return What::Nothing,
        };
        self.shown = if let What::Since(time) = &what { Some(*time) } else { None };
        self.run = Some(run);
        self.stands = Stands::Open;
        what
    }

    /// Whether a line has not been shown before.
    pub fn is_new(&mut self, time: Option<SystemTime>) -> bool {
        if let (Some(shown), Some(time)) = (self.shown, time)
            && time <= shown
        {
            return false;
        }
        self.last = time.or(self.last);
        true
    }

    /// Its log has ended.
    pub fn ends(&mut self) {
        self.stands = Stands::Ended;
    }

    /// Its log cannot be had. Whether that is new.
    pub fn fails(&mut self) -> bool {
        std::mem::replace(&mut self.stands, Stands::Failed) != Stands::Failed
    }

    /// Whether its log comes.
    pub fn is_open(&self) -> bool {
        self.stands == Stands::Open
    }

    /// Whether its log cannot be had.
    pub fn has_failed(&self) -> bool {
        self.stands == Stands::Failed
    }
}

#[cfg(feature = "kube")]
#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::*;
    use crate::engine::kube::tests::pod as document;

    fn pod(change: impl FnOnce(&mut Value)) -> Pod {
        let mut document = document();
        change(&mut document);
        Pod::of(&serde_json::from_value(document).unwrap(), None).unwrap()
    }

    fn container(pod: &mut Value) -> &mut Value {
        &mut pod["status"]["containerStatuses"][0]
    }

    #[test]
    fn what_is_asked_for_next() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        let waits = pod(|pod| {
            container(pod)["containerID"] = json!("");
            container(pod)["state"] = json!({"waiting": {"reason": "ContainerCreating"}});
        });
        let runs = pod(|_| {});
        let again = pod(|pod| container(pod)["containerID"] = json!("containerd://4e"));
        let over = pod(|pod| container(pod)["state"] = json!({"terminated": {"exitCode": 0}}));

        let mut known = Known::default();
        assert_eq!(known.meets(&waits, true), What::Nothing);
        assert_eq!(known.meets(&runs, false), What::Whole);
        assert!(known.is_open() && known.is_new(at(5)) && known.is_new(None));
        // It is followed already.
        assert_eq!(known.meets(&runs, false), What::Nothing);
        known.ends();
        assert_eq!(known.meets(&over, false), What::Nothing);
        // The connection broke: what was shown is not shown again.
        assert_eq!(known.meets(&runs, false), What::Since(at(5).unwrap()));
        assert!(!known.is_new(at(4)) && !known.is_new(at(5)) && known.is_new(at(6)));
        known.ends();
        // Another run has said nothing yet, whatever its clock says.
        assert_eq!(known.meets(&again, false), What::Whole);
        assert!(known.is_new(at(1)));

        let mut known = Known::default();
        assert_eq!(known.meets(&over, true), What::AsAsked);
        // That is told once, and not tried again and again.
        assert!(known.fails() && !known.fails() && known.has_failed());
        assert_eq!(known.meets(&runs, false), What::Nothing);
    }
}
