//! Builds the shim and hands it to the host as bytes.
//!
//! The shim is a program of its own (`no_std`, static, no libc), so it needs its own flags, and cargo
//! cannot give one package two sets of them. It also has to travel inside this package, where a second
//! `Cargo.toml` would be left out. So its manifest is written here, and a second cargo builds it in its own
//! target directory from crates the host depends on too: nothing is downloaded.
//!
//! `SCRATCHDBG_SHIM=/path/to/elf` takes a ready-made one instead.

#![allow(clippy::expect_used, clippy::panic, reason = "a build script tells its failures by panicking")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=shim/src");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-env-changed=SCRATCHDBG_SHIM");
    let shim = match env::var_os("SCRATCHDBG_SHIM") {
        Some(ready) => PathBuf::from(ready),
        None => build(),
    };
    println!("cargo::rustc-env=SCRATCHDBG_SHIM_ELF={}", shim.display());
}

fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("cargo did not set {name}"))
}

fn build() -> PathBuf {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR")).join("shim");
    let target = variable("TARGET").into_string().expect("a target triple is ASCII");
    fs::create_dir_all(&out).expect("OUT_DIR can be written");
    fs::write(out.join("Cargo.toml"), manifest(&here)).expect("OUT_DIR can be written");

    let mut cargo = Command::new(variable("CARGO"));
    // Run from the package, so that a vendoring or registry configuration is found.
    cargo.current_dir(&here).args(["build", "--release", "--offline", "--quiet", "--manifest-path"]);
    cargo.arg(out.join("Cargo.toml")).arg("--target-dir").arg(out.join("target"));
    // Naming the target keeps the flags below away from build scripts and proc macros.
    cargo.args(["--target", &target]);
    // The outer build's flags and wrappers (clippy, coverage, sanitizers) are not for the shim.
    for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"] {
        cargo.env_remove(name);
    }
    // The holder of a pod's container says which version it is of.
    cargo.env("SCRATCHDBG_VERSION", variable("CARGO_PKG_VERSION"));
    let mut flags = vec!["-Crelocation-model=static", "-Ctarget-feature=+crt-static", "-Cforce-unwind-tables=no"];
    if has_lld(&target) {
        // Comes with rustc, needs no C compiler, and links for every processor.
        flags.extend(["-Clinker=rust-lld", "-Clinker-flavor=ld.lld", "-Clink-self-contained=no"]);
        flags.extend(["-Clink-arg=-static", "-Clink-arg=--build-id=none", "-Clink-arg=-znorelro"]);
        flags.extend(["-Clink-arg=-zseparate-code", "-Clink-arg=--no-eh-frame-hdr"]);
    } else {
        flags.extend(["-Clink-arg=-nostartfiles", "-Clink-arg=-nostdlib", "-Clink-arg=-static"]);
        flags.extend(["-Clink-arg=-Wl,--build-id=none", "-Clink-arg=-Wl,-z,norelro"]);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));

    let status = cargo.status().expect("cargo can be started");
    assert!(status.success(), "the shim did not build; see above, or set SCRATCHDBG_SHIM to a ready-made one");
    out.join("target").join(&target).join("release").join("shim")
}

/// The shim's manifest. Its crates are pinned to what the host uses, so that they are already here.
fn manifest(here: &Path) -> String {
    let host = fs::read_to_string(here.join("Cargo.toml")).expect("the package has a manifest");
    // `name = { version = "=1.2.3" … }`, or as `cargo package` rewrites it: `[dependencies.name]`, `version = "=1.2.3"`.
    let pin = |name: &str| -> String {
        let starts = [format!("\n{name} = "), format!("\n[dependencies.{name}]")];
        let start = starts.iter().find_map(|start| host.find(start.as_str()));
        let quoted = start.and_then(|start| host[start..].split('"').nth(1)).filter(|pin| pin.starts_with('='));
        quoted.unwrap_or_else(|| panic!("{name} is not pinned in Cargo.toml")).to_owned()
    };
    format!(
        r#"
[package]
name = "shim"
version = "0.0.0"
edition = "2024"

[[bin]]
name = "shim"
path = "{main}"

[dependencies]
postcard = {{ version = "{postcard}", default-features = false }}
rustix = {{ version = "{rustix}", default-features = false, features = ["event", "fs", "net", "process", "thread"] }}
serde = {{ version = "{serde}", default-features = false, features = ["derive"] }}

[profile.release]
opt-level = "z"
lto = "fat"
codegen-units = 1
panic = "abort"
strip = true

[workspace]
"#,
        main = here.join("shim/src/main.rs").display(),
        postcard = pin("postcard"),
        rustix = pin("rustix"),
        serde = pin("serde"),
    )
}

fn has_lld(target: &str) -> bool {
    let sysroot = Command::new(variable("RUSTC")).args(["--print", "sysroot"]).output();
    let Ok(output) = sysroot else { return false };
    let host = variable("HOST").into_string().unwrap_or_else(|_| target.to_owned());
    let Ok(root) = String::from_utf8(output.stdout) else { return false };
    Path::new(root.trim()).join("lib/rustlib").join(host).join("bin/rust-lld").exists()
}
