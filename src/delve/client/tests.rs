//! The client against Delves that were recorded, and against one that misbehaves.

mod hostile;
mod recorded;
mod scenario;

#[test]
fn only_names_are_looked_for_as_patterns() {
    let pattern = super::pattern;
    assert_eq!(pattern("main.(*store).buy").as_deref(), Some(r"/(^|[.\/])main\.\(\*store\)\.buy$/"));
    assert_eq!(pattern("example.com/shop.run").as_deref(), Some(r"/(^|[.\/])example\.com\/shop\.run$/"));
    for place in ["main.go:12", "*0x46c1e3", "/regex/", "+3", "12", "", "a b"] {
        assert_eq!(pattern(place), None, "{place}");
    }
}
