# shellcheck shell=bash disable=SC2034
# What more than one script here needs. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/scratchdbg
# After the user's own PATH: what they have installed wins over what setup put into the cache.
PATH=$PATH:$cache/bin:${CARGO_HOME:-$HOME/.cargo}/bin
export PATH

say() { printf '%s\n' "$*" >&2; }
step() { printf '==> %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Says the command, then runs it.
run() {
    printf '    %s\n' "$*" >&2
    "$@"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        run "$@"
    elif have sudo; then
        run sudo "$@"
    else
        say "this needs root, and there is no sudo: $*"
        return 1
    fi
}

# sudo asks for a password only where somebody can type one.
quiet_sudo() {
    if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
}

# The engine's command, through sudo where this user may not talk to the engine.
engine=(docker)
engine_answers() {
    have docker || return 1
    engine=(docker)
    docker version >/dev/null 2>&1 && return 0
    [ "$(id -u)" -ne 0 ] && have sudo || return 1
    quiet_sudo docker version >/dev/null 2>&1 || return 1
    engine=(sudo docker)
}

# What Podman needs to run without root: numbers for its users, and a network.
have_rootless() { have newuidmap && have slirp4netns; }

# Prints the minor number of a "1.MINOR[.PATCH]" that stands in a line of text.
minor_of() { sed -nE 's/^[^0-9]*1\.([0-9]+).*/\1/p' | head -n 1; }

# The oldest Go that builds the fixtures.
oldest_go=19
go_minor() { "$1" version 2>/dev/null | sed 's/.* go1/1/' | minor_of; }

# Prints the Go command to use: the user's, or the one in the cache.
find_go() {
    local candidate minor
    for candidate in "$(command -v go || true)" "$cache/bin/go"; do
        [ -x "$candidate" ] || continue
        minor=$(go_minor "$candidate")
        if [ -n "$minor" ] && [ "$minor" -ge "$oldest_go" ]; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}
