//! Which container a name means: its exact name, or a unique prefix of a name or an id.

use crate::engine::Summary;
use crate::engine::error::Error;

/// How many names an error lists.
const MOST: usize = 6;
/// How alike two names are, 0 to 1, before one is offered for the other.
const ALIKE: f64 = 0.6;

/// Whether this could be a container's name or id. Docker allows `[a-zA-Z0-9][a-zA-Z0-9_.-]*`; anything else is
/// not sent, so that it cannot become another path of the API.
pub fn plausible(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.len() <= 256 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(word)
}

/// Finds the one container that is meant and gives its id.
pub fn resolve(name: &str, all: &[Summary]) -> Result<String, Error> {
    let exact = all.iter().find(|one| one.name == name).or_else(|| all.iter().find(|one| one.id == name));
    if let Some(exact) = exact {
        return Ok(exact.id.clone());
    }
    let mut found = all.iter().filter(|one| one.name.starts_with(name) || one.id.starts_with(name));
    match (found.next(), found.next()) {
        (Some(one), None) if !name.is_empty() => Ok(one.id.clone()),
        (None, _) => Err(Error::NotFound { name: name.to_owned(), near: near(name, all) }),
        (Some(first), second) => {
            let short = |one: &Summary| format!("{} ({})", one.name, one.id.get(..12).unwrap_or(&one.id));
            let mut candidates: Vec<_> = [Some(first), second].into_iter().flatten().chain(found).map(short).collect();
            candidates.sort();
            shorten(&mut candidates);
            Err(Error::Ambiguous { name: name.to_owned(), candidates })
        }
    }
}

/// The names somebody may have meant: those that contain what was typed or look like it; all, if they are few.
fn near(name: &str, all: &[Summary]) -> Vec<String> {
    let likeness = |one: &str| strsim::normalized_damerau_levenshtein(&one.to_lowercase(), &name.to_lowercase());
    let mut near: Vec<(f64, &str)> = all
        .iter()
        .map(|one| {
            let contains = !name.is_empty() && one.name.to_lowercase().contains(&name.to_lowercase());
            (if contains { 1.0 } else { likeness(&one.name) }, one.name.as_str())
        })
        .filter(|&(likeness, _)| likeness >= ALIKE || all.len() <= MOST)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let mut names = near.into_iter().map(|(_, name)| name.to_owned()).collect();
    shorten(&mut names);
    names
}

fn shorten(names: &mut Vec<String>) {
    let more = names.len().saturating_sub(MOST);
    if more > 0 {
        names.truncate(MOST);
        names.push(format!("and {more} more"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::State;

    fn all(names: &[(&str, &str)]) -> Vec<Summary> {
        let summary = |&(name, id): &(&str, &str)| Summary {
            id: id.to_owned(),
            name: name.to_owned(),
            image: String::new(),
            state: State::Running,
            status: String::new(),
            created: None,
            command: String::new(),
            labels: Vec::new(),
        };
        names.iter().map(summary).collect()
    }

    #[test]
    fn names_before_prefixes() {
        let list = all(&[("web", "aaa111"), ("web-2", "bbb222"), ("db", "abc333"), ("abc", "ccc444")]);
        for (name, id) in [
            ("web", "aaa111"),
            ("web-", "bbb222"),
            ("d", "abc333"),
            ("abc", "ccc444"),
            ("aa", "aaa111"),
            ("bbb222", "bbb222"),
        ] {
            assert_eq!(resolve(name, &list).as_deref(), Ok(id), "{name}");
        }
    }

    #[test]
    fn more_than_one_is_an_error_with_all_of_them() {
        let list = all(&[("web", "aaa111"), ("web-2", "bbb222"), ("db", "bbb333")]);
        let error = resolve("we", &list).unwrap_err().to_string();
        assert_eq!(error, "\"we\" could be web (aaa111), web-2 (bbb222)");
        assert!(matches!(resolve("bbb", &list), Err(Error::Ambiguous { .. })));
        // A name's prefix and an id's prefix compete too.
        assert!(matches!(resolve("b", &all(&[("b1", "a"), ("c", "bd")])), Err(Error::Ambiguous { .. })));
        assert!(matches!(resolve("", &all(&[("b1", "a")])), Err(Error::Ambiguous { .. })));
        let names: Vec<_> = (0..20).map(|n| (format!("n{n:02}"), format!("{n}"))).collect();
        let many: Vec<_> = names.iter().map(|(name, id)| (name.as_str(), id.as_str())).collect();
        let Err(Error::Ambiguous { candidates, .. }) = resolve("n", &all(&many)) else { panic!() };
        assert_eq!((candidates.len(), candidates[6].as_str()), (7, "and 14 more"));
    }

    #[test]
    fn none_is_an_error_with_what_is_near() {
        let names = ["shop-api", "shop-db", "metrics", "queue", "worker", "proxy", "cache"];
        let list = all(&names.map(|name| (name, name)));
        let near = |name| match resolve(name, &list) {
            Err(Error::NotFound { near, .. }) => near,
            other => panic!("{other:?}"),
        };
        assert_eq!(near("shpo-api")[0], "shop-api");
        assert_eq!(near("API"), ["shop-api"]);
        assert_eq!(near("zzz"), Vec::<String>::new());
        let Err(Error::NotFound { near, .. }) = resolve("zzz", &all(&[("web", "1"), ("db", "2")])) else { panic!() };
        assert_eq!(near, ["db", "web"]);
    }

    #[test]
    fn what_is_no_name_is_not_sent() {
        for name in ["web", "a", "3f2a", "a.b_c-d", "A9"] {
            assert!(plausible(name), "{name}");
        }
        for name in ["", "../images", "a/b", "a?b", "a b", "-a", "a%2f", "é", "a\n"] {
            assert!(!plausible(name), "{name:?}");
        }
    }
}
