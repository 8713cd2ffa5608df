//! How something is spread over pods, in words: how many each has, who has most, and who has none.

/// Pods that are named one by one.
const NAMED: usize = 3;
/// So many times the middle, and so many more than it, are far more.
const FAR: (usize, usize) = (2, 5);

/// Of each pod its name, and how many it has.
#[must_use]
pub fn words(counts: &[(&str, usize)]) -> String {
    let all = counts.len();
    let mut have: Vec<_> = counts.iter().copied().filter(|(_, count)| *count > 0).collect();
    // Sorting keeps the order of those that are alike: that of their names.
    have.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let each = |some: &[(&str, usize)]| {
        some.iter().map(|(name, count)| format!("{name} ({count})")).collect::<Vec<_>>().join(", ")
    };
    let (Some(&(_, most)), Some(&(_, least))) = (have.first(), have.last()) else { return String::new() };
    if have.len() <= NAMED && all > NAMED {
        return format!("in {} of {all} pods: {}", have.len(), each(&have));
    }
    if all <= NAMED {
        return format!("in {}", each(&have));
    }
    let pods = if have.len() == all { format!("all {all} pods") } else { format!("{} of {all} pods", have.len()) };
    let each_has = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let middle = have.get(have.len() / 2).map_or(0, |(_, count)| *count);
    let is_far = |count: usize| count >= middle.saturating_mul(FAR.0) && count - middle >= FAR.1;
    let far: Vec<_> = have.iter().copied().filter(|(_, count)| is_far(*count)).collect();
    let who = match far.len() {
        _ if least == most => String::new(),
        0 => format!(", most in {}", each(&have[..1])),
        few if few <= NAMED => format!(", far more in {}", each(&far)),
        many => format!(", far more in {many} pods: {}, …", each(&far[..NAMED])),
    };
    let none: Vec<_> = counts.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect();
    let without =
        if (1..=NAMED).contains(&none.len()) { format!("; none in {}", none.join(", ")) } else { String::new() };
    format!("in {pods}, {each_has} each{who}{without}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_how_many() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let of = |counts: &[usize]| words(&names.iter().copied().zip(counts.iter().copied()).collect::<Vec<_>>());
        for (counts, text) in [
            (&[4, 4, 4, 4, 4, 4][..], "in all 6 pods, 4 each"),
            (&[4, 5, 4, 6, 4, 4], "in all 6 pods, 4 to 6 each, most in d (6)"),
            (&[12, 13, 340, 12, 12, 12], "in all 6 pods, 12 to 340 each, far more in c (340)"),
            (&[12, 90, 340, 12, 12, 0], "in 5 of 6 pods, 12 to 340 each, far more in c (340), b (90); none in f"),
            (&[0, 0, 7, 0, 9, 0], "in 2 of 6 pods: e (9), c (7)"),
            (&[0, 0, 7, 0, 0, 0], "in 1 of 6 pods: c (7)"),
            (&[1, 2], "in b (2), a (1)"),
            (&[3], "in a (3)"),
            (&[0, 0], ""),
            (&[10, 90, 90, 90, 90, 10], "in all 6 pods, 10 to 90 each, most in b (90)"),
            (&[10, 90, 10, 10, 10, 11], "in all 6 pods, 10 to 90 each, far more in b (90)"),
        ] {
            assert_eq!(of(counts), text, "{counts:?}");
        }
        let many: Vec<_> = (0..40).map(|at| ("x", if at < 8 { 900 } else { 10 })).collect();
        assert_eq!(words(&many), "in all 40 pods, 10 to 900 each, far more in 8 pods: x (900), x (900), x (900), …");
    }
}
