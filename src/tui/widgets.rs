//! Small things that are drawn in more than one place. All text goes through [`cells::put`].

pub mod cells;
pub mod list;
pub mod panel;
pub mod table;
