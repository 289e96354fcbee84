# Sourced by the other scripts: finds or installs everything that a build needs, and is quick when it is all there.
#
# Two kinds of machine are served. Where rustup can download, `rust-toolchain.toml` names the compiler and the
# Wasm target, and rustup brings both. Where it cannot, Debian's own Rust compiler is used, and the Wasm target's
# `core` and `alloc` are built once from Debian's `rust-web-src`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/lib/say.sh
. "$ROOT/scripts/lib/say.sh"

WASM_TARGET=wasm32v1-none
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/millrace/target}"
# The Wasm builder looks for the workspace above the target folder unless it is told where the workspace is.
export WASM_BUILD_WORKSPACE_HINT="${WASM_BUILD_WORKSPACE_HINT:-$ROOT}"
# Debian has OpenSSL's headers; without this a copy of OpenSSL would be compiled from source.
export OPENSSL_NO_VENDOR=1
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "this step needs root: $*" "run it as root, or install sudo, then start again"
  fi
}

# need_packages NAME...: installs those Debian packages that are missing.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || die "missing: ${missing[*]}" "install them with your system's package manager"
  step "Installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

has_target() {
  local sysroot
  sysroot=$("$1" --print sysroot 2>/dev/null) && [ -n "$sysroot" ] && [ -d "$sysroot/lib/rustlib/$WASM_TARGET/lib" ]
}

# Builds core, alloc and compiler_builtins for the Wasm target from the compiler's own sources (a quarter of a minute).
build_wasm_target() {
  local sysroot work
  sysroot=$(/usr/bin/rustc --print sysroot)
  step "Building the $WASM_TARGET standard library"
  work=$(mktemp -d)
  mkdir -p "$work/src"
  printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/Cargo.toml"
  printf '#![no_std]\nextern crate alloc;\n' >"$work/src/lib.rs"
  (
    cd "$work"
    # The runtime is linked with LTO, which needs the bitcode that a release sysroot normally carries.
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cembed-bitcode=yes" RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$work/target" \
      /usr/bin/cargo build --quiet --release -Zbuild-std=core,alloc --target "$WASM_TARGET"
  )
  as_root mkdir -p "$sysroot/lib/rustlib/$WASM_TARGET/lib"
  as_root cp "$work/target/$WASM_TARGET/release/deps/"lib{core,alloc,compiler_builtins}-*.{rlib,rmeta} \
    "$sysroot/lib/rustlib/$WASM_TARGET/lib/"
  rm -rf "$work"
}

# Puts a Rust compiler that has the Wasm target first in PATH.
need_rust() {
  if command -v rustup >/dev/null && (cd "$ROOT" && has_target rustc); then return; fi
  if command -v rustup >/dev/null && [ ! -x /usr/lib/cargo/bin/rustc-web ] && ! dpkg-query -W rustc-web >/dev/null 2>&1; then
    step "Asking rustup for the toolchain that rust-toolchain.toml names"
    if (cd "$ROOT" && timeout 600 rustup toolchain install) >/dev/null 2>&1 && (cd "$ROOT" && has_target rustc); then return; fi
    note "rustup cannot download here; using Debian's compiler instead"
  fi
  command -v apt-get >/dev/null ||
    die "no Rust compiler with the $WASM_TARGET target" "install rustup (https://rustup.rs), then start again"
  need_packages rustc-web cargo-web rust-web-src rust-web-llvm lld-22 rust-web-clippy rustfmt-web
  # Debian's compiler, not rustup's shims: a folder of links keeps the rest of PATH as it was.
  local bin=$HOME/.cache/millrace/bin tool
  mkdir -p "$bin"
  for tool in rustc cargo rustfmt cargo-fmt cargo-clippy clippy-driver rustdoc; do ln -sf "/usr/bin/$tool" "$bin/$tool"; done
  export PATH="$bin:$PATH" RUSTC="$bin/rustc"
  unset RUSTUP_TOOLCHAIN
  has_target rustc || build_wasm_target
}

# Everything for a build; `need_node_js` and `need_clang` are separate because not every command wants them.
need_build_tools() {
  need_packages build-essential pkg-config libssl-dev protobuf-compiler git jq curl ca-certificates
  need_rust
}

need_clang() { need_packages clang; }

# The tests of containers run with it, and say that they are skipped where it is not to be had.
need_podman() {
  command -v podman >/dev/null || (need_packages podman crun) || note "without podman the tests of containers are skipped"
}

# The test of clocks that jump runs with it, and says that it is skipped where it is not to be had.
need_faketime() {
  compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || (need_packages libfaketime) || note "without libfaketime the test of clocks is skipped"
}

need_node_js() {
  if ! command -v node >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 18 ]; then
    need_packages nodejs npm
  fi
  command -v npm >/dev/null || need_packages npm
  local client=$ROOT/client stamp=$ROOT/client/node_modules/.millrace-lock
  if [ ! -f "$stamp" ] || ! cmp -s "$client/package-lock.json" "$stamp"; then
    step "Installing the polkadot.js client's packages"
    (cd "$client" && npm ci --silent --no-audit --no-fund) || die "npm ci failed in client/" "check that the npm registry can be reached"
    cp "$client/package-lock.json" "$stamp"
  fi
}
