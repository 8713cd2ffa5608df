//! The file of settings, as whoever typed the command has it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::command::{Ended, binary, run};

fn with(home: &Path, args: &[&str]) -> Command {
    let mut command = binary(args);
    command.env("XDG_CONFIG_HOME", home).env_remove("SCRATCHDBG_IMAGE");
    command
}

fn settle(home: &Path, text: &str) {
    fs::create_dir_all(home.join("scratchdbg")).unwrap();
    fs::write(home.join("scratchdbg/config.toml"), text).unwrap();
}

#[test]
fn an_option_wins_over_a_variable_and_that_over_the_file() {
    let home = tempfile::tempdir().unwrap();
    let settled = |ended: Ended| {
        let image = ended.ok().json()["kubernetes"]["image"].clone();
        format!("{} by {}", image["value"].as_str().unwrap(), image["by"].as_str().unwrap())
    };
    let of_file = || with(home.path(), &["config", "--json"]);
    assert!(settled(run(of_file())).ends_with(" by nobody"));
    settle(home.path(), "[kubernetes]\nimage = \"r.example/of-file:1\"\n");
    assert_eq!(settled(run(of_file())), "r.example/of-file:1 by file");
    let mut of_variable = of_file();
    of_variable.env("SCRATCHDBG_IMAGE", "r.example/of-variable:1");
    assert_eq!(settled(run(of_variable)), "r.example/of-variable:1 by variable");
    let mut of_option = with(home.path(), &["config", "--json", "--image", "r.example/of-option:1"]);
    of_option.env("SCRATCHDBG_IMAGE", "r.example/of-variable:1");
    assert_eq!(settled(run(of_option)), "r.example/of-option:1 by option");
    let shown = run(with(home.path(), &["config"])).ok().text();
    assert!(shown.contains(home.path().join("scratchdbg/config.toml").to_str().unwrap()), "{shown}");
    // What is printed is such a file.
    settle(home.path(), &shown.replace("of-file", "again"));
    assert_eq!(settled(run(of_file())), "r.example/again:1 by file");
}

#[test]
fn the_image_that_is_made_is_called_as_the_file_says() {
    let home = tempfile::tempdir().unwrap();
    settle(home.path(), "[kubernetes]\nimage = \"r.example/of-file:1\"\n");
    let save =
        || with(home.path(), &["image", "save", "--json", "-o", home.path().join("image.tar").to_str().unwrap()]);
    assert_eq!(run(save()).ok().json()["image"], "r.example/of-file:1");
    settle(home.path(), "[kubernetes]\nimage = \"r.example/of-file@sha256:0\"\n");
    run(save()).fails_with(2, &["the file of settings"]);
}

#[test]
fn what_is_mistyped_stops_every_command() {
    let home = tempfile::tempdir().unwrap();
    settle(home.path(), "[kubernetes]\nimgae = \"x\"\n");
    for args in [&["config"][..], &["list"], &["ps", "pid://1"]] {
        run(with(home.path(), args)).fails_with(2, &["config.toml, line 2", "imgae", "docs/config.md"]);
    }
    // What has nothing to do with it goes on.
    run(with(home.path(), &["completions", "bash"])).ok();
}
