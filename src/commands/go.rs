//! `go`: what a Go program says of itself.

use std::io::Write as _;

use serde::Serialize;

use super::table::{Align, Table, width};
use super::{Context, copy, image, output};
use crate::check::gather;
use crate::cli;
use crate::debuggee;
use crate::exit::{Exit, Failure};
use crate::golang::buildinfo::{BuildInfo, Module};
use crate::golang::{self, About, Inside};
use crate::target::{NotRunning, TargetName};
use crate::text::Untrusted;

/// The JSON document: that of `go version -m -json`, which is Go's `runtime/debug.BuildInfo`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    go_version: Option<&'a Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a Untrusted>,
    main: OneModule<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deps: Vec<OneModule<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<Setting<'a>>,
}

/// Go's `debug.Module`.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OneModule<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<&'a Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace: Option<Box<OneModule<'a>>>,
}

/// Go's `debug.BuildSetting`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Setting<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a Untrusted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Untrusted>,
}

/// Go leaves out what is empty (`json:",omitempty"`).
fn some(text: &Untrusted) -> Option<&Untrusted> {
    Some(text).filter(|text| !text.bytes().is_empty())
}

impl<'a> From<&'a Module> for OneModule<'a> {
    fn from(module: &'a Module) -> Self {
        Self {
            path: some(&module.path),
            version: some(&module.version),
            sum: module.sum.as_ref().and_then(some),
            replace: module.replaced_by.as_deref().map(|module| Box::new(module.into())),
        }
    }
}

impl<'a> From<&'a BuildInfo> for Document<'a> {
    fn from(info: &'a BuildInfo) -> Self {
        Self {
            go_version: some(&info.go_version),
            path: info.path.as_ref().and_then(some),
            main: info.main.as_ref().map(Into::into).unwrap_or_default(),
            deps: info.dependencies.iter().map(Into::into).collect(),
            settings: info.settings.iter().map(|(key, value)| Setting { key: some(key), value: some(value) }).collect(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered, or its program is not one that Go made.
pub async fn run(context: &Context, args: &cli::Go) -> Result<(), Failure> {
    let (what, about) = read(context, args).await?;
    let about = about.map_err(|error| Failure::from(error).on(format!("the program of {what}")))?;
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &Document::from(&about.info))?;
    } else {
        out.extend_from_slice(text(&about, width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))
}

async fn read(context: &Context, args: &cli::Go) -> Result<(String, Result<About, golang::Error>), Failure> {
    if let TargetName::Image(name) = &args.target {
        if args.pid.is_some() {
            return Err(NotRunning(args.target.clone()).into());
        }
        let (image, _) = image::open(context, name).await?;
        let path = gather::program_of(&image).await;
        let found = image.tree.find(path.bytes(), true).and_then(|found| found.data);
        let missing = || {
            let message = format!("there is no {} in {}, which it is set up to run", path.safe(), args.target);
            Failure::new(Exit::No, message).try_this(format!("see why: scratchdbg check {}", args.target))
        };
        return Ok((args.target.to_string(), golang::about::read(&found.ok_or_else(missing)?).await));
    }
    let (target, entered) = context.enter(&args.target).await?;
    let shim = &entered.shim;
    if let Some((pod, copy)) = copy::asked_of(&target, args.program.as_ref())? {
        let path = gather::program_of_copy(shim, pod, copy, args.program.as_deref()).await?;
        let about = golang::about::read(&Inside { shim, path: path.bytes().to_vec() }).await;
        return Ok((target.name(), about));
    }
    let (pid, _) = debuggee::choose(shim, &target, entered.init, args.pid).await?;
    let about = match shim.readlink(format!("/proc/{pid}/exe").as_bytes()).await {
        Ok(path) => golang::about::read(&Inside { shim, path }).await,
        Err(error) => Err(error.into()),
    };
    Ok((target.name(), about))
}

/// What is told of first, and by which setting.
const SETTINGS: [(&str, &str); 8] = [
    ("ldflags", "-ldflags"),
    ("gcflags", "-gcflags"),
    ("tags", "-tags"),
    ("compiler", "-compiler"),
    ("cgo", "CGO_ENABLED"),
    ("pgo", "-pgo"),
    ("fips 140", "GOFIPS140"),
    ("trimpath", "-trimpath"),
];

/// All of it for a person.
fn text(about: &About, width: Option<usize>) -> String {
    let info = &about.info;
    let mut table = plain();
    let shown = |text: &Untrusted| text.safe().into_string();
    let setting = |name: &str| info.setting(name).map(shown);
    table.row(["go", &shown(&info.go_version)]);
    table.row(["package", &info.path.as_ref().map_or_else(|| "not said".to_owned(), shown)]);
    table.row(["module", &info.main.as_ref().map_or_else(|| "not said".to_owned(), module)]);
    let platform: Vec<_> = ["GOOS", "GOARCH"].into_iter().filter_map(setting).collect();
    table.row(["built for", &if platform.is_empty() { "not said".to_owned() } else { platform.join("/") }]);
    table.row(["revision", &revision(info)]);
    for (name, key) in SETTINGS {
        if let Some(value) = setting(key) {
            table.row([name, &value]);
        }
    }
    let words = match (about.stripped, about.dwarf) {
        (true, _) => "none: it is stripped".to_owned(),
        (false, Some(version)) => format!("DWARF {version}"),
        (false, None) => "there, in a form that is not known here".to_owned(),
    };
    table.row(["debug info", &words]);
    table.row(["linked", if about.dynamic { "dynamically" } else { "statically" }]);
    if let Some(id) = &about.build_id {
        table.row(["build id", &id.to_string()]);
    }
    let mut out = table.text(width);

    out.push_str("\nMODULES\n");
    let mut modules = Table::new(&[("PATH", Align::Left), ("VERSION", Align::Left), ("IN ITS PLACE", Align::Left)]);
    for one in &info.dependencies {
        let replaced = one.replaced_by.as_deref().map_or_else(|| "-".to_owned(), module);
        modules.row([shown(&one.path), shown(&one.version), replaced]);
    }
    out.push_str(&if modules.is_empty() { "(none)\n".to_owned() } else { modules.text(width) });

    out.push_str("\nSETTINGS\n");
    let mut settings = plain();
    for (key, value) in &info.settings {
        settings.row([shown(key), shown(value)]);
    }
    out.push_str(&if settings.is_empty() { "(none)\n".to_owned() } else { settings.text(width) });
    out
}

fn module(module: &Module) -> String {
    format!("{} {}", module.path.safe(), module.version.safe()).trim_end().to_owned()
}

/// Which revision of the sources it was built of, and whether they were as they are in it.
fn revision(info: &BuildInfo) -> String {
    let setting = |name: &str| info.setting(name).map(|value| value.safe().into_string());
    let Some(revision) = setting("vcs.revision") else { return "not said".to_owned() };
    let state = match setting("vcs.modified").as_deref() {
        Some("true") => ", modified since",
        Some("false") => ", unmodified",
        _ => "",
    };
    let time = setting("vcs.time").map(|time| format!(" of {time}")).unwrap_or_default();
    format!("{revision}{time}{state}")
}

fn plain() -> Table {
    Table::new(&[("", Align::Left), ("", Align::Left)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        let replaced = Module { path: "../a".into(), ..Module::default() };
        let module =
            |path: &str, version: &str| Module { path: path.into(), version: version.into(), ..Module::default() };
        let settings = [
            ("-ldflags", "-s -w"),
            ("GOOS", "linux"),
            ("GOARCH", "amd64"),
            ("vcs.revision", "abc"),
            ("vcs.modified", "true"),
            ("-pgo", "/src/\u{1b}[2J"),
        ];
        About {
            info: BuildInfo {
                go_version: "go1.27.3".into(),
                path: Some("x.com/app/cmd".into()),
                main: Some(Module { sum: Some("h1:abc=".into()), ..module("x.com/app", "v1.2.3") }),
                dependencies: vec![
                    Module { replaced_by: Some(Box::new(replaced)), ..module("y.com/a", "v0.1.0") },
                    module("z.com/b", "v2.0.0"),
                ],
                settings: settings.map(|(key, value)| (key.into(), value.into())).to_vec(),
            },
            stripped: false,
            dwarf: Some(5),
            build_id: None,
            dynamic: false,
        }
    }

    #[test]
    fn for_people_and_for_programs() {
        insta::assert_snapshot!(text(&about(), None));
        let mut json = Vec::new();
        output::document(&mut json, &Document::from(&about().info)).unwrap();
        insta::assert_snapshot!(String::from_utf8(json).unwrap());
        let nothing = About { info: BuildInfo::default(), stripped: true, ..about() };
        insta::assert_snapshot!(text(&nothing, None));
        let mut json = Vec::new();
        output::line(&mut json, &Document::from(&nothing.info)).unwrap();
        assert_eq!(json, b"{\"Main\":{}}\n", "as Go writes it");
    }
}
