//! Docker's API.
