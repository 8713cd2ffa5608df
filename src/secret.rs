//! Which variables of an environment hold secrets, by their names and by what they look like.

const WORDS: [&str; 16] = [
    "PASS",
    "PWD",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "PRIVATE",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "AUTH",
    "DSN",
    "COOKIE",
    "SESSION",
    "SIGNATURE",
    "SALT",
    "JWT",
];

/// Whether the value of a variable of this name is likely a secret.
#[must_use]
pub fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // PWD is the working directory of a shell, in every environment.
    let by_name = name != "PWD" && name != "OLDPWD" && WORDS.iter().any(|word| name.contains(word));
    by_name || name.ends_with("_KEY") || name == "KEY" || has_password(value) || value.contains("-----BEGIN ")
}

/// Whether it is an address with a password: `postgres://user:password@host`.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret() {
        for (name, value, secret) in [
            ("PATH", "/bin", false),
            ("PWD", "/", false),
            ("DB_PASSWORD", "x", true),
            ("db_pwd", "x", true),
            ("GITHUB_TOKEN", "x", true),
            ("STRIPE_KEY", "x", true),
            ("KEYBOARD", "us", false),
            ("DATABASE_URL", "postgres://u:p@db/x", true),
            ("DATABASE_URL", "postgres://db/x", false),
            ("URL", "http://a/@b:c", false),
            ("CERT", "-----BEGIN RSA PRIVATE KEY-----", true),
        ] {
            assert_eq!(is_secret(name, value), secret, "{name}={value}");
        }
    }
}
