//! Can the program begin at all? What execve(2) and ld.so(8) need of it and of what is around it.

use object::elf::{EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64};

use super::facts::{Elf, Facts, Format, Seen};
use super::finding::{Finding, Group, Kind};
use crate::inspect::files;
use crate::text::Untrusted;

const GROUP: Group = Group::Program;

/// All findings about the program's file.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let program = &facts.program;
    if program.name.bytes().is_empty() {
        let fix = "ENTRYPOINT [\"/app\"]";
        return vec![Finding::failure(GROUP, "program.present", "nothing says what to run").fix(fix)];
    }
    match &program.seen {
        Seen::There(_) => {}
        Seen::Missing => return vec![missing(facts)],
        Seen::Denied => {
            let message = format!("{} may not be looked at", program.name.safe());
            return vec![Finding::unknown(GROUP, "program.present", message).fix("scratchdbg check --as root …")];
        }
        Seen::Unknown(why) => {
            let message = format!("{} could not be looked at: {why}", program.name.safe());
            return vec![Finding::unknown(GROUP, "program.present", message)];
        }
    }
    let mut all = vec![present(facts)];
    all.extend(executable(facts));
    match &program.format {
        Format::Unread => {
            all.push(Finding::unknown(GROUP, "program.format", format!("{} could not be read", program.path.safe())));
        }
        Format::Unknown => {
            let message = format!("{} is no program: \"exec format error\"", program.path.safe());
            let fix = "put a program there that is built for Linux; a script begins with #! and its interpreter";
            all.push(
                Finding::failure(GROUP, "program.format", message).with(Kind::Path, program.path.clone()).fix(fix),
            );
        }
        Format::Script(interpreter, there) => all.push(script(facts, interpreter, *there)),
        Format::Elf(elf) => {
            all.push(machine(facts, elf));
            all.extend(loader(facts, elf));
            all.extend(libraries(facts, elf));
            all.push(linked(facts, elf));
            all.extend(packed(facts, elf));
        }
    }
    all
}

fn missing(facts: &Facts) -> Finding {
    let name = facts.program.name.safe();
    let message = format!("there is no {name} in it: \"exec: {name}: no such file or directory\"");
    let fix = format!("COPY --chmod=0755 {} {name}", name.as_str().rsplit('/').next().unwrap_or("app"));
    Finding::failure(GROUP, "program.present", message).with(Kind::Missing, facts.program.path.clone()).fix(fix)
}

fn present(facts: &Facts) -> Finding {
    let (program, size) = (&facts.program, facts.program.seen.file().map_or(0, |file| file.size));
    let message = format!("{} is what is run, {}", program.path.safe(), files::human_size(size));
    Finding::ok(GROUP, "program.present", message).with_bytes(Kind::Path, program.path.clone(), size)
}

fn executable(facts: &Facts) -> Option<Finding> {
    let (path, file) = (&facts.program.path, facts.program.seen.file()?);
    let mode = format!("{} is {:04o}, of {}:{}", path.lossy(), file.mode, file.uid, file.gid);
    let (message, fix) = if file.kind != files::Kind::File {
        (format!("{} is a {}, which cannot be run", path.safe(), file.kind), "name a program in ENTRYPOINT".to_owned())
    } else if file.mode & 0o111 == 0 {
        let message = format!("{} has no executable bit: \"permission denied\"", path.safe());
        (message, format!("COPY --chmod=0755 {} {}", last(path), path.safe()))
    } else if facts.user.may(1, file) == Some(false) {
        let message = format!("user {} may not run {}: \"permission denied\"", uid(facts), path.safe());
        (message, format!("COPY --chmod=0755 {} {}", last(path), path.safe()))
    } else {
        return None;
    };
    Some(Finding::failure(GROUP, "program.executable", message).with(Kind::Path, mode.as_str()).fix(fix))
}

fn uid(facts: &Facts) -> String {
    facts.user.uid.map_or_else(|| "unknown".to_owned(), |uid| uid.to_string())
}

fn last(path: &Untrusted) -> String {
    let name = files::file_name(path.bytes()).unwrap_or(b"app");
    Untrusted::from(name).safe().into_string()
}

fn script(facts: &Facts, interpreter: &Untrusted, there: bool) -> Finding {
    let path = facts.program.path.safe();
    if there {
        let message = format!("{path} is a script for {}", interpreter.safe());
        return Finding::ok(GROUP, "program.format", message).with(Kind::Path, interpreter.clone());
    }
    let message =
        format!("{path} is a script for {}, which is not there: \"no such file or directory\"", interpreter.safe());
    let fix = "run the program itself: ENTRYPOINT [\"/app\"]";
    Finding::failure(GROUP, "program.format", message).with(Kind::Missing, interpreter.clone()).fix(fix)
}

/// The names of a machine: the kernel's, Go's, and its number in an ELF file.
const MACHINES: [(&str, &str, u16, bool); 7] = [
    ("x86_64", "amd64", EM_X86_64, true),
    ("aarch64", "arm64", EM_AARCH64, true),
    ("arm", "arm", EM_ARM, false),
    ("x86", "386", EM_386, false),
    ("riscv64", "riscv64", EM_RISCV, true),
    ("s390x", "s390x", EM_S390, true),
    ("powerpc64", "ppc64le", EM_PPC64, true),
];

fn machine(facts: &Facts, elf: &Elf) -> Finding {
    let of = |elf: &Elf| MACHINES.iter().find(|one| (one.2, one.3) == (elf.machine, elf.is_64));
    let name = of(elf).map_or_else(|| format!("machine {}", elf.machine), |one| one.1.to_owned());
    let bits = if elf.is_64 { 64 } else { 32 };
    let host = MACHINES.iter().find(|one| one.0 == facts.machine);
    // A 64-bit kernel of these runs programs of the 32-bit machine before it, if it was built to.
    let older = matches!((facts.machine, elf.machine), ("x86_64", EM_386) | ("aarch64", EM_ARM));
    let seen = format!("ELF of {bits} bits for {name}");
    let wanted = host.map_or(facts.machine, |one| one.1);
    if host.is_some_and(|one| (one.2, one.3) == (elf.machine, elf.is_64)) {
        let kind = if elf.is_pie { ", loaded anywhere (PIE)" } else { "" };
        return Finding::ok(GROUP, "program.machine", format!("built for this kind of machine: {name}{kind}"))
            .with(Kind::Header, seen.as_str());
    }
    if older {
        let message = format!("built for {name}, which this kind of machine ({wanted}) may run");
        return Finding::warning(GROUP, "program.machine", message)
            .with(Kind::Header, seen.as_str())
            .fix(format!("GOARCH={wanted} go build"));
    }
    let message = format!("built for {name}, and this kind of machine is {wanted}: \"exec format error\"");
    let fix = format!("GOARCH={wanted} go build    # or, for all of the image: docker build --platform linux/{wanted}");
    Finding::failure(GROUP, "program.machine", message).with(Kind::Header, seen.as_str()).fix(fix)
}

fn loader(facts: &Facts, elf: &Elf) -> Option<Finding> {
    let loader = elf.linkage.interpreter.as_ref()?;
    let header = format!("PT_INTERP {}", loader.lossy());
    let path = String::from_utf8_lossy(loader.bytes()).into_owned();
    match facts.seen(&path) {
        Some(Seen::There(file)) => Some(
            Finding::ok(GROUP, "program.loader", format!("its loader {} is there", loader.safe()))
                .with(Kind::Header, header.as_str())
                .with_bytes(Kind::Path, loader.clone(), file.size),
        ),
        Some(Seen::Missing) => {
            let message = format!(
                "its loader {} is not there: \"{}: no such file or directory\", though the program itself is",
                loader.safe(),
                facts.program.path.safe()
            );
            let finding = Finding::failure(GROUP, "program.loader", message);
            Some(finding.with(Kind::Header, header.as_str()).with(Kind::Missing, loader.clone()).fix(how_static(elf)))
        }
        _ => Some(
            Finding::unknown(GROUP, "program.loader", format!("its loader {} could not be looked at", loader.safe()))
                .with(Kind::Header, header.as_str()),
        ),
    }
}

/// How the program would be built so that it needs nobody.
fn how_static(elf: &Elf) -> &'static str {
    let Some(info) = &elf.go else {
        return "link it statically: -static (C), --target x86_64-unknown-linux-musl (Rust), -target x86_64-linux-musl (Zig)";
    };
    let is = |name: &str, value: &str| info.setting(name).is_some_and(|found| found.bytes() == value.as_bytes());
    if is("CGO_ENABLED", "1") {
        "CGO_ENABLED=0 go build    # with C that is needed: go build -tags netgo,osusergo -ldflags '-linkmode external -extldflags -static'"
    } else if is("-buildmode", "pie") {
        "go build -buildmode=exe    # Go's linker gives every -buildmode=pie a loader"
    } else {
        "CGO_ENABLED=0 go build"
    }
}

fn libraries(facts: &Facts, elf: &Elf) -> Option<Finding> {
    let needed = &elf.linkage.needed;
    if needed.is_empty() {
        return None;
    }
    // Without the loader nobody looks for them.
    let loader = elf.linkage.interpreter.as_ref().map(|path| String::from_utf8_lossy(path.bytes()).into_owned());
    if loader.is_some_and(|path| facts.seen(&path).is_some_and(Seen::is_missing)) {
        return None;
    }
    let listed =
        |names: &[Untrusted]| names.iter().map(|name| name.safe().into_string()).collect::<Vec<_>>().join(", ");
    let seen: Vec<String> = needed.iter().map(|name| format!("DT_NEEDED {}", name.lossy())).collect();
    let with = |finding: Finding| finding.with_all(Kind::Header, seen.iter().map(String::as_str));
    Some(if !elf.lost.is_empty() {
        let message = format!("libraries are not there: {}", listed(&elf.lost));
        with(Finding::failure(GROUP, "program.libraries", message))
            .with_all(Kind::Missing, elf.lost.iter().cloned())
            .fix(how_static(elf))
    } else if elf.searched {
        with(Finding::ok(GROUP, "program.libraries", format!("its libraries are there: {}", listed(needed))))
    } else {
        with(Finding::unknown(
            GROUP,
            "program.libraries",
            format!("it is not known whether these are there: {}", listed(needed)),
        ))
    })
}

fn linked(facts: &Facts, elf: &Elf) -> Finding {
    let cgo = facts.setting("CGO_ENABLED").map(|value| value.bytes() == b"1");
    let said = |finding: Finding| match cgo {
        Some(true) => finding.with(Kind::Setting, "CGO_ENABLED=1"),
        Some(false) => finding.with(Kind::Setting, "CGO_ENABLED=0"),
        None => finding,
    };
    if elf.linkage.interpreter.is_none() && elf.linkage.needed.is_empty() {
        let c = if cgo == Some(true) { ", with C in it (cgo)" } else { "" };
        return said(Finding::ok(GROUP, "program.static", format!("statically linked{c}: it needs no loader")));
    }
    let message = "dynamically linked: the image has to bring its loader and its libraries";
    let kept = elf.lost.is_empty() && elf.searched;
    let finding = if kept {
        Finding::ok(GROUP, "program.static", message)
    } else {
        Finding::warning(GROUP, "program.static", message).fix(how_static(elf))
    };
    said(finding)
}

fn packed(_: &Facts, elf: &Elf) -> Option<Finding> {
    elf.packed.then(|| {
        let message =
            "packed with UPX: each process unpacks all of it into memory of its own, and nothing can be seen in it";
        Finding::warning(GROUP, "program.packed", message)
            .with(Kind::Header, "UPX!")
            .fix("leave out upx; the image is compressed on its way anyway. To see what this one is: upx -d FILE")
    })
}
