//! Goroutines read from outside are those that the program itself tells of by `runtime.Stack`: the same ones, in the same
//! functions at the same lines, started at the same places; for Go releases old and new, stripped or not, put anywhere, and
//! with calls inlined or not.

mod churn;
mod doors;
mod formats;
mod program;
mod real;
mod screen;
mod truth;
mod watch;
