//! What stands behind the question mark.

/// The parameters of a question, in order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Of the text behind the question mark. As Go's parser, it drops what has a bare semicolon in it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        Self(pairs.map(pair).collect())
    }

    /// The first value of a parameter, unless it is empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        first.filter(|value| !value.is_empty())
    }

    /// Every value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is set to something that means yes.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }
}

/// With `%41` and `+` as what they stand for.
#[must_use]
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_repeated() {
        let query = Query::new("command=sh&command=-c&command=echo+a%3Bb%20c&tty=true&stdin=0&x");
        assert_eq!(query.all("command").collect::<Vec<_>>(), ["sh", "-c", "echo a;b c"]);
        assert!(query.is_set("tty") && !query.is_set("stdin") && !query.is_set("x"));
        assert_eq!(Query::new("command=a;b").get("command"), None);
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%+f"), "% f");
    }
}
