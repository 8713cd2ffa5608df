use super::*;
use crate::tui::fake;

fn names(pods: &Pods) -> Vec<String> {
    let of = |row: &Row| format!("{}/{}", row.pod, row.container);
    (0..pods.order.len()).filter_map(|row| pods.row(row).map(of)).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A list of the pods of all namespaces, as they are at second 10.
fn pods() -> Pods {
    let mut pods = Pods::of(Place { everywhere: true, ..Place::default() });
    pods.contexts = Some(Ok(fake::contexts()));
    assert!(pods.due(seconds(10)).is_some());
    pods.arrive(0, Ok(Box::new(fake::listed())), seconds(10));
    pods
}

#[test]
fn pods_stay_together_unless_another_order_is_wanted() {
    let mut pods = pods();
    let by_pod = [
        "migrate-29x/migrate",
        "web-7976cf4947-bznkr/app",
        "web-7976cf4947-bznkr/proxy",
        "worker-6d5/app",
        "zoo-0/app",
        "zoo-1/app",
    ];
    assert_eq!(names(&pods), by_pod);
    for (sort, first, last) in [
        (Sort::State, "worker-6d5/app", "migrate-29x/migrate"),
        (Sort::Restarts, "worker-6d5/app", "zoo-1/app"),
        (Sort::Node, "migrate-29x/migrate", "zoo-1/app"),
    ] {
        pods.sort = sort;
        pods.arrange();
        let names = names(&pods);
        assert_eq!((names[0].as_str(), names[5].as_str()), (first, last), "{sort:?}");
        pods.reverse = true;
        pods.arrange();
        assert_eq!(self::names(&pods)[0], last, "{sort:?}");
        pods.reverse = false;
    }
    let round =
        std::iter::successors(Some(Sort::Pod), |sort| Some(sort.next())).skip(1).position(|sort| sort == Sort::Pod);
    assert_eq!(round, Some(4), "every order can be reached");
}

#[test]
fn a_filter_sees_names_states_and_places() {
    for (text, count) in
        [("CrashLoop", 1), ("not ready", 1), ("^shop/web", 2), ("node-1", 6), ("acme", 6), ("nothing", 0)]
    {
        let mut pods = pods();
        pods.filter = Pattern::new(text);
        pods.arrange();
        assert_eq!(pods.order.len(), count, "{text}");
    }
    let mut pods = pods();
    pods.choose(Action::All);
    assert_eq!(pods.order.len(), 3, "one that is being deleted runs still");
}

#[test]
fn the_selection_stays_on_its_container() {
    let mut pods = pods();
    pods.cursor.at = 3;
    let mut later = fake::listed();
    later.rows.remove(0);
    pods.arrive(0, Ok(Box::new(later)), seconds(12));
    assert_eq!((pods.cursor.at, pods.selected().map(|row| row.pod.as_str())), (2, Some("worker-6d5")));
}

#[test]
fn there_is_one_question_at_a_time_and_a_slow_cluster_is_left_alone() {
    let mut pods = pods();
    assert!(pods.due(seconds(11)).is_none(), "it is a second old");
    assert!(pods.due(seconds(12)).is_some());
    assert!(pods.due(seconds(60)).is_none(), "the answer is still awaited");
    // It took a minute: ten seconds, and not four minutes.
    pods.arrive(0, Ok(Box::new(fake::listed())), seconds(72));
    assert!(pods.due(seconds(81)).is_some(), "counted from the question");
    pods.arrive(0, Ok(Box::new(fake::listed())), seconds(82));
    assert!(pods.due(seconds(84)).is_none());
    assert!(pods.due(seconds(85)).is_some(), "four times the second that it took");
}

#[test]
fn what_is_refused_is_not_asked_again_unasked() {
    let refused = |exit| {
        let mut pods = pods();
        assert!(pods.due(seconds(20)).is_some());
        pods.arrive(0, Err(Failure::new(exit, "no")), seconds(20));
        assert_eq!((pods.rows().len(), pods.stale()), (6, true), "the last list stays");
        (pods.due(seconds(29)).is_some(), pods.due(seconds(30)).is_some())
    };
    assert_eq!(refused(Exit::Unreachable), (false, true));
    assert_eq!(refused(Exit::NotPermitted), (false, false));
    assert_eq!(refused(Exit::Usage), (false, false));
    let mut pods = pods();
    pods.arrive(0, Err(Failure::new(Exit::NotPermitted, "no")), seconds(20));
    pods.listed.forget();
    assert!(pods.due(seconds(20)).is_some(), "somebody wants it");
}

#[test]
fn answers_about_another_place_are_not_for_us() {
    let mut pods = pods();
    pods.turn_to(Place { namespace: Some("jobs".to_owned()), ..Place::default() });
    assert_eq!((pods.rows().len(), pods.listed.busy), (0, false));
    pods.arrive(0, Ok(Box::new(fake::listed())), seconds(12));
    assert_eq!(pods.rows().len(), 0);
    let (number, place) = pods.due(seconds(12)).unwrap();
    assert_eq!((number, place.namespace.as_deref()), (1, Some("jobs")));
    pods.arrive(number, Ok(Box::new(fake::listed())), seconds(12));
    assert_eq!(pods.rows().len(), 6);
}

#[test]
fn nothing_is_asked_before_it_is_known_whom() {
    let mut pods = Pods::default();
    assert!(pods.due(seconds(0)).is_none());
    pods.contexts = Some(Err(Failure::new(Exit::Usage, "no file")));
    assert!(pods.due(seconds(0)).is_none());
}

#[test]
fn how_a_run_ended() {
    let pods = pods();
    let last: Vec<String> = pods.rows().iter().map(|row| row::last(row, fake::wall(0))).collect();
    assert_eq!(last[..4], ["0 Completed, 4m 0s ago", "137 OOMKilled, 1h 6m ago", "", "2 Error, 12s ago"]);
}
