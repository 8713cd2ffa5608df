use super::*;
use crate::delve::model::More;
use crate::tui::fake;

const CALL: Call = Call { goroutine: 18, frame: 2 };

fn loaded() -> Variables {
    let mut variables = Variables::default();
    assert_eq!(variables.of(CALL), [Question::Variables(CALL)]);
    variables.arrive(vec![fake::store()], fake::locals());
    variables
}

fn shown(variables: &Variables) -> Vec<String> {
    (0..variables.rows.len()).filter_map(|row| variables.copied(row)).collect()
}

fn int(value: &str) -> Variable {
    fake::variable("", Kind::Int, value, Vec::new())
}

#[test]
fn a_value_unfolds_through_pointers() {
    let mut variables = loaded();
    assert_eq!(
        shown(&variables),
        [
            "s = *main.store {orders: len: 300, stock: ...}",
            "url = \"http://127.0.0.1:8080/healthz\"",
            "n = 3",
            "gone = unreadable: could not read memory",
        ]
    );
    assert_eq!(variables.fold(None), None);
    variables.cursor.at = 2;
    variables.fold(Some(true));
    assert_eq!(
        shown(&variables)[..5],
        [
            "s = *main.store {orders: len: 300, stock: ...}",
            "  orders = []int len: 300, cap: 512, [0,10,...+298 more]",
            "  stock = map[string]int [\"a9\": 7, ]",
            "    \"a9\" = 7",
            "url = \"http://127.0.0.1:8080/healthz\"",
        ]
    );
    // To the left is what it is in, then folded.
    variables.cursor.at = 3;
    variables.fold(Some(false));
    assert_eq!(variables.cursor.at, 2);
    variables.fold(Some(false));
    variables.fold(Some(false));
    assert_eq!((variables.cursor.at, variables.rows.len()), (0, 6));
    // What is unfolded stays so in the next call that has it.
    variables.of(Call { goroutine: 18, frame: 3 });
    variables.arrive(vec![fake::store()], Vec::new());
    assert_eq!(variables.rows.len(), 3);
}

#[test]
fn what_an_optimised_program_does_not_keep_is_said_in_words() {
    let words = |why: &str| {
        let mut gone = fake::variable("n", Kind::Int, "", Vec::new());
        gone.unreadable = Some(why.into());
        let mut variables = Variables::default();
        variables.of(CALL);
        variables.arrive(Vec::new(), vec![gone]);
        shown(&variables).concat()
    };
    let away = "n = not kept here: the program is optimised";
    assert_eq!(words("could not find loclist entry at 0x2b03 for address 0x66764e"), away);
    assert_eq!(words("empty OP stack"), away);
    assert_eq!(words("could not read memory"), "n = unreadable: could not read memory");
}

#[test]
fn more_of_a_value_is_loaded_when_it_is_wanted() {
    let mut variables = loaded();
    variables.fold(None);
    variables.cursor.at = 1;
    assert_eq!(variables.fold(None), None, "some of it is there");
    assert_eq!(shown(&variables)[4], "    … = 298 more");
    variables.cursor.at = 4;
    let expression = "(*(*\"[]int\")(0xc000))[2:]".to_owned();
    let purpose = Purpose::More(vec![0, 0, 0]);
    let asked = Question::Evaluate { call: CALL, expression: expression.clone(), purpose: purpose.clone() };
    assert_eq!(variables.fold(None), Some(asked));
    let mut rest = fake::variable("", Kind::Slice, "[]int len: 298", vec![int("20"), int("30")]);
    rest.more = Some(More { expression: "…[4:]".to_owned(), missing: 296 });
    variables.evaluated("another", &purpose, Ok(rest.clone()));
    assert_eq!(shown(&variables)[4], "    … = 298 more", "of another value");
    variables.evaluated(&expression, &purpose, Ok(rest.clone()));
    assert_eq!(shown(&variables)[4..7], ["     = 20", "     = 30", "    … = 296 more"]);
    variables.evaluated(&expression, &purpose, Ok(rest));
    assert_eq!(shown(&variables)[6], "    … = 296 more", "it came already");
}

#[test]
fn what_was_not_loaded_at_all_is_loaded_as_it_unfolds() {
    let mut variables = Variables::default();
    variables.of(CALL);
    let mut deep = fake::variable("deep", Kind::Struct, "main.deep {...}", Vec::new());
    deep.more = Some(More { expression: "*(*\"main.deep\")(0xc0)".to_owned(), missing: 0 });
    variables.arrive(vec![deep], Vec::new());
    let Some(Question::Evaluate { expression, purpose, .. }) = variables.fold(None) else { panic!("not asked for") };
    let whole = fake::variable("", Kind::Struct, "main.deep {n: 1}", vec![int("1")]);
    variables.evaluated(&expression, &purpose, Ok(whole));
    assert_eq!(shown(&variables), ["deep = main.deep {n: 1}", "   = 1"]);
}

#[test]
fn watches_are_evaluated_for_every_call() {
    let mut variables = loaded();
    assert!(variables.ask("len(s.orders)", Purpose::Watch).is_some());
    assert_eq!(shown(&variables)[0], "len(s.orders) = …");
    variables.ask("len(s.orders)", Purpose::Watch);
    assert_eq!(variables.roots.len(), 5, "once is enough");
    variables.ask("1+1", Purpose::Print);
    variables.ask("1+2", Purpose::Print);
    assert_eq!(shown(&variables)[..2], ["1+2 = …", "len(s.orders) = …"]);
    variables.evaluated("1+2", &Purpose::Print, Ok(int("3")));
    variables.evaluated("len(s.orders)", &Purpose::Watch, Err("could not find symbol value for s".to_owned()));
    assert_eq!(shown(&variables)[..2], ["1+2 = 3", "len(s.orders) = could not find symbol value for s"]);
    let next = Call { goroutine: 18, frame: 3 };
    assert_eq!(
        variables.of(next),
        [Question::Variables(next), evaluate(next, "len(s.orders)".to_owned(), Purpose::Watch)]
    );
    variables.cursor.at = 1;
    assert!(variables.on_expression() && variables.unpin());
    assert_eq!(shown(&variables)[0], "1+2 = 3");
    variables.cursor.at = 2;
    assert!(!variables.unpin(), "a local is none");
}

#[test]
fn what_differs_from_the_last_look_is_marked() {
    let mut variables = loaded();
    variables.ask("n", Purpose::Watch);
    variables.evaluated("n", &Purpose::Watch, Ok(int("3")));
    variables.of(CALL);
    variables.arrive(Vec::new(), vec![int("3")]);
    assert!(!variables.roots.iter().any(|root| root.changed), "the same look");
    variables.anew();
    assert_eq!(shown(&variables), ["n = …"], "what was watched is watched on");
    variables.of(CALL);
    let named = |name: &str, value: &str| Variable { name: name.into(), ..int(value) };
    variables.arrive(
        Vec::new(),
        vec![named("n", "4"), named("new", "1"), named("url", "\"http://127.0.0.1:8080/healthz\"")],
    );
    variables.evaluated("n", &Purpose::Watch, Ok(int("4")));
    let changed: Vec<(&str, bool)> = variables.roots.iter().map(|root| (root.name.as_str(), root.changed)).collect();
    assert_eq!(changed, [("n", true), ("n", true), ("new", false), ("url", false)]);
    // The mark stays while the same look goes on.
    variables.of(CALL);
    variables.arrive(Vec::new(), vec![named("n", "4")]);
    assert!(variables.roots.iter().all(|root| root.changed));
}

#[test]
fn nothing_is_too_deep_or_too_wide() {
    let mut deep = int("1");
    for _ in 0..500 {
        deep = fake::variable("f", Kind::Struct, "{...}", vec![deep]);
    }
    let wide = fake::variable("wide", Kind::Slice, "[...]", vec![int("1"); 30_000]);
    let mut variables = Variables::default();
    variables.of(CALL);
    variables.arrive(vec![deep], vec![wide]);
    for _ in 0..200 {
        variables.fold(Some(true));
        variables.cursor.at = (variables.cursor.at + 1).min(variables.rows.len() - 2);
    }
    assert!(variables.rows.iter().all(|row| row.depth < DEEPEST));
    variables.cursor.at = variables.rows.len() - 1;
    variables.fold(Some(true));
    assert!(variables.rows.len() <= MOST_ROWS + DEEPEST);
}

#[test]
fn it_is_searched() {
    let mut variables = loaded();
    variables.find(Pattern::new("healthz"));
    assert_eq!(variables.cursor.at, 1);
    variables.cursor.at = 0;
    variables.fold(None);
    assert_eq!(variables.search.as_ref().unwrap().lines, [3], "it has moved");
}

#[test]
fn what_can_be_set_is_named_as_go_does() {
    let mut variables = Variables::default();
    variables.of(CALL);
    let pointer = fake::variable("p", Kind::Pointer, "*3", vec![int("3")]);
    variables.arrive(vec![fake::store(), pointer], fake::locals());
    let mut all = Vec::new();
    let mut at = 0;
    while at < variables.rows.len() {
        variables.cursor.at = at;
        variables.fold(Some(true));
        all.extend(variables.settable().map(|(name, value)| format!("{name} = {value}")));
        at += 1;
    }
    assert_eq!(
        all,
        [
            "s = ",
            "s.orders = ",
            "s.orders[0] = 0",
            "s.orders[1] = 10",
            "s.stock = ",
            "p = ",
            "url = \"http://127.0.0.1:8080/healthz\"",
            "n = 3",
            "gone = "
        ]
    );
}
