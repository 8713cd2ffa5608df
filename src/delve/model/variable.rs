//! Variables and their values.

use crate::text::Untrusted;

/// A variable, or a part of one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variable {
    /// Its name; of a part, the field's or the index.
    pub name: Untrusted,
    /// Its type, `[]main.Order`.
    pub type_name: Untrusted,
    /// What it is.
    pub kind: Kind,
    /// What is in it, in one line for a person: `[]int len: 3, cap: 4, [1,2,3]`.
    pub value: Untrusted,
    /// Elements or bytes: of a string, slice, array, map or channel.
    pub len: u64,
    /// Room for elements: of a slice or channel.
    pub cap: u64,
    /// Where it is in the target's memory. 0: nowhere.
    pub addr: u64,
    /// Fields, elements, what a pointer points to; of a map key, value, key, value.
    pub children: Vec<Variable>,
    /// Why it could not be read.
    pub unreadable: Option<Untrusted>,
    /// What there is more of it than was loaded.
    pub more: Option<More>,
    /// Whether a variable of the same name in an inner block hides it.
    pub shadowed: bool,
    /// Whether it is an argument that is returned.
    pub returned: bool,
}

impl Variable {
    /// Whether it cannot be read because an optimised program does not keep it where the call is. Delve has no other word for
    /// that than what it found in the debug information (`pkg/dwarf/op`, `pkg/proc/bininfo.go`).
    #[must_use]
    pub fn is_optimised_away(&self) -> bool {
        let begins = |with: &[u8]| self.unreadable.as_ref().is_some_and(|why| why.bytes().starts_with(with));
        begins(b"empty OP stack") || begins(b"could not find loclist entry")
    }
}

/// What was not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct More {
    /// To be evaluated to get it. It is the target's own words, and does nothing but read.
    pub expression: String,
    /// How many elements or bytes are missing. 0: nothing of it was loaded.
    pub missing: u64,
}

/// What a variable is (`reflect.Kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// A boolean.
    Bool,
    /// A number with a sign.
    Int,
    /// A number without.
    Uint,
    /// A number with a fraction.
    Float,
    /// A complex number.
    Complex,
    /// Elements in a row.
    Array,
    /// A channel.
    Chan,
    /// A function.
    Func,
    /// An interface; its child is what is in it.
    Interface,
    /// Keys and values.
    Map,
    /// A pointer; its child is what it points to.
    Pointer,
    /// Elements elsewhere.
    Slice,
    /// Text.
    String,
    /// Fields.
    Struct,
    /// A pointer to anything.
    UnsafePointer,
    /// Nobody knows.
    #[default]
    Invalid,
}

impl Kind {
    /// From Delve's number, which is Go's.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Bool,
            2..=6 => Self::Int,
            7..=12 => Self::Uint,
            13 | 14 => Self::Float,
            15 | 16 => Self::Complex,
            17 => Self::Array,
            18 => Self::Chan,
            19 => Self::Func,
            20 => Self::Interface,
            21 => Self::Map,
            22 => Self::Pointer,
            23 => Self::Slice,
            24 => Self::String,
            25 => Self::Struct,
            26 => Self::UnsafePointer,
            _ => Self::Invalid,
        }
    }
}

/// How much of a variable is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Whether pointers are followed.
    pub pointers: bool,
    /// How deep nested values are loaded.
    pub depth: u32,
    /// Bytes of a string.
    pub string: u32,
    /// Elements of an array, slice or map.
    pub elements: u32,
    /// Fields of a struct.
    pub fields: u32,
}

impl Load {
    /// For lists: one line each.
    pub const LINE: Self = Self { pointers: true, depth: 1, string: 80, elements: 16, fields: 32 };
    /// For one value that is looked at.
    pub const WHOLE: Self = Self { pointers: true, depth: 2, string: 4096, elements: 128, fields: 256 };
}

impl Default for Load {
    fn default() -> Self {
        Self::LINE
    }
}
