//! Places in a program as they are shown, and each kept once: a hundred thousand goroutines wait in a few places.

use std::collections::HashMap;
use std::sync::Arc;

use crate::delve::model::Location;

/// A place in a program. All texts are safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// The function with its package: `net/http.(*conn).serve`.
    pub function: String,
    /// The file as the program knows it.
    pub file: String,
    /// The line; 0 if nobody knows.
    pub line: u32,
}

impl Place {
    /// The function without the folders of its package: `http.(*conn).serve`.
    #[must_use]
    pub fn short(&self) -> &str {
        short(&self.function)
    }

    /// The name of the file and the line: `server.go:118`. Empty if nobody knows.
    #[must_use]
    pub fn spot(&self) -> String {
        if self.file.is_empty() {
            return String::new();
        }
        let name = self.file.rsplit('/').next().unwrap_or(&self.file);
        format!("{name}:{}", self.line)
    }

    /// All of it in one line, as it is searched and copied.
    #[must_use]
    pub fn full(&self) -> String {
        format!("{} {}:{}", self.function, self.file, self.line)
    }
}

impl From<&Location> for Place {
    fn from(location: &Location) -> Self {
        let mut function = location.function.safe().into_string();
        if function.is_empty() && location.pc != 0 {
            function = format!("{:#x}", location.pc);
        }
        Self { function, file: location.file.safe().into_string(), line: location.line }
    }
}

/// A function without the folders of its package. What stands in brackets, as type arguments do, has folders too.
#[must_use]
pub fn short(function: &str) -> &str {
    let end = function.find(['[', '(']).unwrap_or(function.len());
    let start = function.get(..end).and_then(|head| head.rfind('/')).map_or(0, |at| at + 1);
    function.get(start..).unwrap_or(function)
}

/// What Delve calls a group of goroutines that are in one place, `/go/src/net/http/server.go:3086 in net/http.(*Server).Serve`,
/// as shortly as places are shown elsewhere.
#[must_use]
pub fn short_group(name: &str) -> String {
    match name.split_once(" in ") {
        Some((file, function)) => format!("{} {}", short(function), file.rsplit('/').next().unwrap_or(file)),
        None => short(name).to_owned(),
    }
}

/// Places, each kept once.
#[derive(Debug, Clone, Default)]
pub struct Places(HashMap<(Vec<u8>, Vec<u8>, u32), Arc<Place>>);

impl Places {
    /// The place, as it is kept.
    pub fn keep(&mut self, location: &Location) -> Arc<Place> {
        let key = (location.function.bytes().to_vec(), location.file.bytes().to_vec(), location.line);
        Arc::clone(self.0.entry(key).or_insert_with(|| Arc::new(Place::from(location))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_lose_their_folders_only() {
        for (function, shown) in [
            ("main.main", "main.main"),
            ("net/http.(*conn).serve", "http.(*conn).serve"),
            ("example.com/a/b.Map[example.com/c/d.T].get", "b.Map[example.com/c/d.T].get"),
            ("example.com/a/b.(*T[go/x.Y]).get", "b.(*T[go/x.Y]).get"),
            ("", ""),
            ("/", ""),
        ] {
            assert_eq!(short(function), shown);
        }
    }

    #[test]
    fn groups_are_named_like_places() {
        let name = "/go/src/net/http/server.go:3086 in net/http.(*Server).Serve";
        assert_eq!(short_group(name), "http.(*Server).Serve server.go:3086");
        assert_eq!((short_group("true").as_str(), short_group("").as_str()), ("true", ""));
    }

    #[test]
    fn a_place_is_kept_once() {
        let mut places = Places::default();
        let location = Location { function: "main.run".into(), file: "/a/b.go".into(), line: 7, ..Location::default() };
        let (one, other) = (places.keep(&location), places.keep(&location));
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!((one.spot().as_str(), one.full().as_str()), ("b.go:7", "main.run /a/b.go:7"));
        let nameless = places.keep(&Location { pc: 0x46_c1e3, ..Location::default() });
        assert_eq!((nameless.short(), nameless.spot().as_str()), ("0x46c1e3", ""));
    }
}
