use super::*;

fn process(pid: i32, parent: i32, command: &str) -> Process {
    Process {
        pid: ContainerPid(pid),
        host_pid: None,
        ppid: ContainerPid(parent),
        uid: 0,
        user: None,
        state: 'S',
        threads: 1,
        rss: 1000,
        cpu: Duration::from_secs(1),
        age: Duration::from_secs(60),
        cpu_percent: 0.0,
        start_ticks: 7,
        name: Untrusted::from(command),
        command: vec![Untrusted::from(command)],
    }
}

fn shown(rows: &[Row], list: &[Process]) -> Vec<String> {
    rows.iter().map(|row| format!("{}{}", row.branch, list[row.at].pid)).collect()
}

#[test]
fn children_hang_below_their_parents() {
    let list = [process(1, 0, "init"), process(9, 1, "c"), process(7, 1, "b"), process(8, 7, "d"), process(30, 0, "e")];
    assert_eq!(shown(&tree(&list), &list), ["1", "├─7", "│ └─8", "└─9", "30"]);
}

#[test]
fn circles_and_chains_end() {
    let circle = [process(1, 2, "a"), process(2, 1, "b"), process(3, 3, "c")];
    let rows = tree(&circle);
    assert_eq!(rows.len(), 3);
    let chain: Vec<Process> = (1..5000).map(|pid| process(pid, pid - 1, "x")).collect();
    let rows = tree(&chain);
    assert_eq!(rows.len(), chain.len());
    assert!(rows.iter().all(|row| row.branch.chars().count() <= 2 * DEEPEST + 2));
}

#[test]
fn the_flat_list_is_sorted_and_filtered() {
    let mut data = Processes { list: vec![process(1, 0, "b"), process(2, 1, "a"), process(3, 1, "c")], recent: vec![] };
    data.list[2].rss = 5000;
    let mut procs = Procs { tree: false, ..Procs::default() };
    for (sort, reverse, pids) in [
        (Sort::Pid, false, [1, 2, 3]),
        (Sort::Pid, true, [3, 2, 1]),
        (Sort::Memory, false, [3, 1, 2]),
        (Sort::Command, false, [2, 1, 3]),
    ] {
        (procs.sort, procs.reverse) = (sort, reverse);
        procs.arrange(None, &data);
        assert_eq!(procs.rows.iter().map(|row| data.list[row.at].pid.0).collect::<Vec<_>>(), pids, "{sort:?}");
    }
    procs.cursor.at = 0;
    let selected = procs.selected(&data).map(|process| process.pid);
    procs.sort = Sort::Pid;
    procs.arrange(selected, &data);
    assert_eq!(procs.selected(&data).map(|process| process.pid.0), Some(2), "the selection follows the process");
    procs.filter = Pattern::new("^3 ");
    procs.arrange(None, &data);
    assert_eq!(procs.rows.len(), 1);
}

#[test]
fn rates_are_of_the_time_between_readings() {
    let mut rates = Rates::default();
    let mut list = vec![process(1, 0, "a")];
    assert_eq!(rates.take(&list, Duration::from_secs(10)), [None]);
    list[0].cpu = Duration::from_secs(2);
    assert_eq!(rates.take(&list, Duration::from_secs(12)), [Some(50.0)]);
    list[0].start_ticks = 8;
    assert_eq!(rates.take(&list, Duration::from_secs(14)), [None], "another process of the same pid");
    assert_eq!((rates.cpu.len(), rates.rss.len()), (1, 3));
    list[0].cpu = Duration::ZERO;
    assert_eq!(rates.take(&list, Duration::from_secs(14)), [None], "no time passed");
}
