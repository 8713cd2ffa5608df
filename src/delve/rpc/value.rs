//! A variable's value in one line for a person, and what there is more of it.

use base64::Engine as _;

use super::reply;
use crate::delve::model::{Kind, More, Variable};
use crate::text::Untrusted;

/// The longest line that is made, in bytes: whoever wants more opens the variable.
const LONGEST: usize = 4096;

/// Delve's flags (`api.VariableFlags`).
const SHADOWED: u64 = 2;
const RETURNED: u64 = 16;
const NOWHERE: u64 = 32;

/// Parts of a channel that say something of the program. The others are the runtime's own.
const OF_CHANNEL: [&str; 8] = ["qcount", "dataqsiz", "buf", "closed", "sendx", "recvx", "recvq", "sendq"];

/// What an expression gave. It need not be anywhere in memory; then its name, which is the expression, gets more of it.
pub(super) fn evaluated(raw: reply::Variable) -> Variable {
    let loaded = match Kind::from_number(raw.kind) {
        Kind::String => string(&raw).len(),
        Kind::Array | Kind::Slice => raw.children.len(),
        Kind::Map => raw.children.len() / 2,
        _ => 0,
    };
    let mut variable = variable(raw);
    let missing = variable.len.saturating_sub(loaded as u64);
    if variable.more.is_none() && variable.unreadable.is_none() && missing > 0 && loaded > 0 {
        variable.more = Some(More { expression: format!("({})[{loaded}:]", variable.name.lossy()), missing });
    }
    variable
}

/// Turns a variable and its children.
pub(super) fn variable(mut raw: reply::Variable) -> Variable {
    let kind = Kind::from_number(raw.kind);
    if kind == Kind::Chan {
        // Delve gives the number of its fields.
        (raw.len, raw.cap) = (field(&raw, "qcount"), field(&raw, "dataqsiz"));
        raw.children.retain(|child| OF_CHANNEL.contains(&child.name.as_str()));
    }
    let nil = is_nil(&raw);
    let mut line = Vec::new();
    write_top(&raw, &mut line);
    if line.len() > LONGEST {
        line.truncate(LONGEST);
        // Not in the middle of a letter.
        let valid = line.utf8_chunks().last().map_or(0, |last| last.invalid().len());
        line.truncate(line.len() - valid.min(3));
        line.extend("…".as_bytes());
    }
    Variable {
        more: more(&raw, kind),
        name: Untrusted::new(raw.name),
        type_name: Untrusted::new(raw.type_name),
        kind,
        value: Untrusted::new(line),
        len: u64::try_from(raw.len).unwrap_or(0),
        cap: u64::try_from(raw.cap).unwrap_or(0),
        addr: raw.addr,
        children: if nil { Vec::new() } else { children(kind, raw.children) },
        unreadable: (!raw.unreadable.is_empty()).then(|| Untrusted::new(raw.unreadable)),
        shadowed: raw.flags & SHADOWED != 0,
        returned: raw.flags & RETURNED != 0,
    }
}

/// A number in a structure.
fn field(raw: &reply::Variable, name: &str) -> i64 {
    let field = raw.children.iter().find(|child| child.name == name);
    field.and_then(|field| field.value.parse().ok()).unwrap_or(0)
}

/// Whether it points to nothing, or holds nothing.
fn is_nil(raw: &reply::Variable) -> bool {
    let nothing = |inside: &reply::Variable| inside.addr == 0;
    match Kind::from_number(raw.kind) {
        Kind::Pointer | Kind::UnsafePointer => raw.children.first().is_some_and(nothing),
        Kind::Interface => raw.children.first().is_some_and(|inside| inside.kind == 0 && nothing(inside)),
        Kind::Slice | Kind::Map => raw.base == 0 && raw.len == 0,
        Kind::Chan => raw.base == 0 && raw.children.is_empty(),
        Kind::Func => raw.base == 0 && raw.value.is_empty(),
        _ => false,
    }
}

/// Elements have no names. They get their index, and what is in a map its key.
fn children(kind: Kind, raw: Vec<reply::Variable>) -> Vec<Variable> {
    let mut children: Vec<Variable> = raw.into_iter().map(variable).collect();
    match kind {
        Kind::Array | Kind::Slice => {
            for (index, child) in children.iter_mut().enumerate() {
                child.name = Untrusted::from(format!("[{index}]").as_str());
            }
        }
        Kind::Map => {
            for index in (1..children.len()).step_by(2) {
                let mut name = vec![b'['];
                name.extend_from_slice(children[index - 1].value.bytes());
                name.push(b']');
                children[index].name = Untrusted::new(name);
            }
        }
        _ => {}
    }
    children
}

fn write_top(raw: &reply::Variable, out: &mut Vec<u8>) {
    match Kind::from_number(raw.kind) {
        _ if !raw.unreadable.is_empty() => {}
        Kind::Slice if !is_nil(raw) => out.extend(format!("len {} cap {} ", raw.len, raw.cap).bytes()),
        Kind::Map if !is_nil(raw) => out.extend(format!("len {} ", raw.len).bytes()),
        _ => {}
    }
    write(raw, out);
}

/// Without what only the outermost has. Writes little more than there is room for.
fn write(raw: &reply::Variable, out: &mut Vec<u8>) {
    if out.len() > LONGEST {
        return;
    }
    if !raw.unreadable.is_empty() {
        out.extend(b"(unreadable: ");
        out.extend(raw.unreadable.bytes().take(200));
        out.push(b')');
        return;
    }
    match Kind::from_number(raw.kind) {
        _ if is_nil(raw) => out.extend(b"nil"),
        _ if raw.only_addr => out.extend("…".bytes()),
        Kind::String => write_string(raw, out),
        Kind::Array | Kind::Slice => {
            out.push(b'[');
            write_list(&raw.children, out, write);
            write_rest(raw.len, raw.children.len(), out);
            out.push(b']');
        }
        Kind::Map => {
            out.extend(b"map[");
            let pairs: Vec<_> = raw.children.chunks_exact(2).collect();
            write_list(&pairs, out, |pair, out| {
                write(&pair[0], out);
                out.extend(b": ");
                write(&pair[1], out);
            });
            write_rest(raw.len, pairs.len(), out);
            out.push(b']');
        }
        // What Delve writes itself: a time, for instance.
        Kind::Struct if !raw.value.is_empty() => out.extend(raw.value.bytes()),
        Kind::Struct => {
            out.push(b'{');
            write_list(&raw.children, out, |field, out| {
                out.extend(field.name.bytes());
                out.extend(b": ");
                write(field, out);
            });
            write_rest(raw.len, raw.children.len(), out);
            out.push(b'}');
        }
        Kind::Pointer | Kind::UnsafePointer => match raw.children.first() {
            Some(inside) if inside.only_addr || raw.kind != 22 => out.extend(format!("{:#x}", inside.addr).bytes()),
            Some(inside) => {
                out.push(b'&');
                write(inside, out);
            }
            None => write_value(raw, out),
        },
        Kind::Interface => match raw.children.first() {
            Some(inside) => {
                out.push(b'(');
                out.extend(inside.type_name.bytes());
                out.extend(b") ");
                write(inside, out);
            }
            None => write_value(raw, out),
        },
        Kind::Chan => out.extend(format!("{} of {}", field(raw, "qcount"), field(raw, "dataqsiz")).bytes()),
        Kind::Complex if raw.value.is_empty() && raw.children.len() == 2 => {
            out.extend(format!("({} + {}i)", raw.children[0].value, raw.children[1].value).bytes());
        }
        _ => write_value(raw, out),
    }
}

/// As Delve has it; it has nothing of what is nested too deep.
fn write_value(raw: &reply::Variable, out: &mut Vec<u8>) {
    out.extend(if raw.value.is_empty() { "…" } else { &raw.value }.bytes());
}

fn write_string(raw: &reply::Variable, out: &mut Vec<u8>) {
    let bytes = string(raw);
    out.push(b'"');
    for &byte in bytes.iter().take(LONGEST) {
        // Control characters are made visible where everything is, on the way to a terminal.
        if byte == b'"' {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    write_rest(raw.len, bytes.len(), out);
}

/// The bytes of a string, which JSON cannot always hold.
fn string(raw: &reply::Variable) -> Vec<u8> {
    let exact = raw.bytes.as_deref().filter(|encoded| !encoded.is_empty());
    exact
        .and_then(|encoded| base64::engine::general_purpose::STANDARD.decode(encoded).ok())
        .unwrap_or_else(|| raw.value.clone().into_bytes())
}

fn write_list<T>(items: &[T], out: &mut Vec<u8>, each: impl Fn(&T, &mut Vec<u8>)) {
    for (index, item) in items.iter().enumerate() {
        if out.len() > LONGEST {
            return;
        }
        if index > 0 {
            out.extend(b", ");
        }
        each(item, out);
    }
}

fn write_rest(len: i64, loaded: usize, out: &mut Vec<u8>) {
    let missing = u64::try_from(len).unwrap_or(0).saturating_sub(loaded as u64);
    if missing > 0 {
        out.extend(if loaded > 0 && out.last() != Some(&b'"') { ", " } else { "" }.bytes());
        out.extend(format!("…+{missing}").bytes());
    }
}

/// How to get what is missing.
fn more(raw: &reply::Variable, kind: Kind) -> Option<More> {
    if !raw.unreadable.is_empty() || is_nil(raw) {
        return None;
    }
    let of = |variable: &reply::Variable| {
        let known = variable.addr != 0 && variable.flags & NOWHERE == 0 && !variable.type_name.is_empty();
        known.then(|| format!("*(*{})({:#x})", quoted(&variable.type_name), variable.addr))
    };
    let tail = |loaded: usize| {
        let missing = u64::try_from(raw.len).unwrap_or(0).saturating_sub(loaded as u64);
        // What begins with nothing is loaded as a whole: it is nested too deep.
        let expression = if loaded > 0 { format!("({})[{loaded}:]", of(raw)?) } else { of(raw)? };
        (missing > 0).then_some(More { expression, missing: if loaded > 0 { missing } else { 0 } })
    };
    let whole = |expression: String| More { expression, missing: 0 };
    match kind {
        _ if raw.only_addr => of(raw).map(whole),
        Kind::String => tail(string(raw).len()),
        Kind::Array | Kind::Slice => tail(raw.children.len()),
        Kind::Map => tail(raw.children.len() / 2),
        Kind::Struct if raw.value.is_empty() && i64::try_from(raw.children.len()).is_ok_and(|len| len < raw.len) => {
            of(raw).map(whole)
        }
        Kind::Pointer if !raw.children.is_empty() => {
            let inside = raw.children.first().filter(|inside| inside.only_addr && inside.addr != 0)?;
            (!inside.type_name.is_empty())
                .then(|| whole(format!("(*{})({:#x})", quoted(&inside.type_name), inside.addr)))
        }
        Kind::Interface if raw.children.first().is_some_and(|inside| inside.only_addr) => of(raw).map(whole),
        // Nested too deep.
        Kind::Pointer | Kind::Interface if raw.children.is_empty() => of(raw).map(whole),
        Kind::Bool | Kind::Int | Kind::Uint | Kind::Float if raw.value.is_empty() => of(raw).map(whole),
        _ => None,
    }
}

/// A type's name as Delve wants it in an expression.
fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for c in name.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(raw: Value) -> Variable {
        evaluated(serde_json::from_value(raw).unwrap())
    }

    fn shown(raw: Value) -> String {
        read(raw).value.safe().into_string()
    }

    #[test]
    fn what_is_nothing_and_what_is_not_loaded_are_told_apart() {
        let pointed = |addr: u64| json!({ "kind": 22, "children": [{ "kind": 25, "type": "T", "addr": addr }] });
        assert_eq!(shown(pointed(0)), "nil");
        assert_eq!(shown(pointed(1)), "&{}");
        assert_eq!(shown(json!({ "kind": 22, "type": "*T", "addr": 7 })), "…");
        assert_eq!(shown(json!({ "kind": 20, "children": [{ "kind": 0, "addr": 0 }] })), "nil");
        assert_eq!(shown(json!({ "kind": 23, "type": "[]int", "base": 0, "len": 0 })), "nil");
        assert_eq!(shown(json!({ "kind": 23, "type": "[]int", "base": 9, "len": 0 })), "len 0 cap 0 []");
        assert_eq!(shown(json!({ "kind": 21, "base": 9, "len": 3 })), "len 3 map[…+3]");
        assert_eq!(shown(json!({ "kind": 2, "value": "" })), "…");
        assert_eq!(shown(json!({ "kind": 2, "value": "-5" })), "-5");
        assert_eq!(shown(json!({ "kind": 25, "value": "time.Time(2026-01-01)", "len": 3 })), "time.Time(2026-01-01)");
        assert_eq!(shown(json!({ "kind": 99, "value": "?" })), "?");
        assert_eq!(shown(json!({ "kind": 2, "unreadable": "input/output error" })), "(unreadable: input/output error)");
    }

    #[test]
    fn of_a_channel_it_is_told_how_full_it_is() {
        let field = |name: &str, value: &str| json!({ "name": name, "kind": 7, "value": value });
        let channel = read(json!({
            "kind": 18, "base": 9, "len": 12,
            "children": [field("qcount", "2"), field("dataqsiz", "4"), field("elemtype", "0"), field("closed", "0")],
        }));
        assert_eq!((channel.value.safe().as_str(), channel.len, channel.cap), ("2 of 4", 2, 4));
        assert_eq!(channel.children.len(), 3, "what only the runtime needs is left out");
    }

    #[test]
    fn text_that_is_no_utf8_comes_as_it_is() {
        let text = read(json!({ "kind": 24, "value": "\u{fffd}", "StringValueBytes": "/wA=", "len": 2 }));
        assert_eq!(text.value.bytes(), b"\"\xff\0\"");
        assert_eq!(text.more, None);
    }

    #[test]
    fn the_name_of_a_type_cannot_break_out_of_an_expression() {
        let tagged = read(json!({ "kind": 25, "type": "struct { A int \"json:\\\"a\\\"\" }", "addr": 16, "len": 1 }));
        let expression = tagged.more.unwrap().expression;
        assert_eq!(expression, r#"*(*"struct { A int \"json:\\\"a\\\"\" }")(0x10)"#);
    }

    #[test]
    fn what_is_in_no_memory_has_no_address_to_load_more_from() {
        let register =
            read(json!({ "name": "x", "kind": 24, "type": "string", "addr": 5, "flags": 32, "value": "ab", "len": 9 }));
        assert_eq!(register.more.unwrap().expression, "(x)[2:]");
        let nested = read(json!({ "name": "x", "kind": 25, "type": "T", "addr": 0, "len": 4 }));
        assert_eq!(nested.more, None);
    }

    #[test]
    fn a_line_is_not_too_long_and_cut_between_letters() {
        for width in 0..4 {
            let text = format!("{}{}", "x".repeat(width), "日".repeat(4000));
            let value = read(json!({ "kind": 24, "value": text, "len": text.len() })).value;
            assert!(value.is_utf8() && value.bytes().len() < LONGEST + 10, "{}", value.bytes().len());
        }
        let many: Vec<_> = (0..100_000).map(|n| json!({ "kind": 2, "value": n.to_string() })).collect();
        let value = read(json!({ "kind": 23, "base": 1, "len": 1_i64 << 40, "children": many })).value;
        assert!(value.bytes().len() < LONGEST + 10);
    }
}
