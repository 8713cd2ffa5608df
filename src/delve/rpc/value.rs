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

/// Turns a variable and its children.
pub(super) fn variable(raw: reply::Variable) -> Variable {
    let kind = Kind::from_number(raw.kind);
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
        children: children(kind, raw.children),
        unreadable: (!raw.unreadable.is_empty()).then(|| Untrusted::new(raw.unreadable)),
        shadowed: raw.flags & SHADOWED != 0,
        returned: raw.flags & RETURNED != 0,
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
        Kind::Slice if raw.base != 0 || raw.len > 0 => out.extend(format!("len {} cap {} ", raw.len, raw.cap).bytes()),
        Kind::Map if raw.base != 0 || raw.len > 0 => out.extend(format!("len {} ", raw.len).bytes()),
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
        Kind::String => write_string(raw, out),
        Kind::Array | Kind::Slice if raw.kind == 23 && raw.base == 0 && raw.len == 0 => out.extend(b"nil"),
        Kind::Array | Kind::Slice => {
            out.push(b'[');
            write_list(&raw.children, out, write);
            write_rest(raw.len, raw.children.len(), out);
            out.push(b']');
        }
        Kind::Map if raw.base == 0 && raw.len == 0 => out.extend(b"nil"),
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
        Kind::Pointer | Kind::UnsafePointer => write_pointer(raw, out),
        Kind::Interface => match raw.children.first() {
            None => out.extend(b"nil"),
            Some(inside) if inside.kind == 0 && inside.addr == 0 => out.extend(b"nil"),
            Some(inside) => {
                out.push(b'(');
                out.extend(inside.type_name.bytes());
                out.extend(b") ");
                write(inside, out);
            }
        },
        Kind::Chan if raw.base == 0 && raw.children.is_empty() => out.extend(b"nil"),
        Kind::Chan => out.extend(format!("{} of {}", raw.len.max(0), raw.cap.max(0)).bytes()),
        Kind::Func if raw.value.is_empty() => out.extend(b"nil"),
        Kind::Complex if raw.value.is_empty() && raw.children.len() == 2 => {
            out.extend(format!("({} + {}i)", raw.children[0].value, raw.children[1].value).bytes());
        }
        _ => out.extend(raw.value.bytes()),
    }
}

fn write_pointer(raw: &reply::Variable, out: &mut Vec<u8>) {
    match raw.children.first() {
        Some(inside) if inside.only_addr && inside.addr != 0 => out.extend(format!("{:#x}", inside.addr).bytes()),
        Some(inside) if inside.addr == 0 && !inside.type_name.is_empty() && raw.kind == 22 => out.extend(b"nil"),
        Some(inside) if raw.kind == 22 => {
            out.push(b'&');
            write(inside, out);
        }
        _ if raw.value.is_empty() => out.extend(b"nil"),
        _ => out.extend(raw.value.bytes()),
    }
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
    if !raw.unreadable.is_empty() {
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
        Kind::Pointer => {
            let inside = raw.children.first().filter(|inside| inside.only_addr && inside.addr != 0)?;
            (!inside.type_name.is_empty())
                .then(|| whole(format!("(*{})({:#x})", quoted(&inside.type_name), inside.addr)))
        }
        Kind::Interface if raw.children.first().is_some_and(|inside| inside.only_addr) => of(raw).map(whole),
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
