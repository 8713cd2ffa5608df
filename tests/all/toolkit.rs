//! The toolkit image, and the helper that keeps a pod's ephemeral container.

mod holder;
mod image;
mod registry;
mod session;
