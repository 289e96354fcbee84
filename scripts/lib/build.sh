# Sourced after toolchain.sh: builds the binaries. One selection and one profile for everybody, so that nothing is built twice.

BIN=$CARGO_TARGET_DIR/release
export MILLRACE_NODE=$BIN/millrace-node

# cargo_quietly LABEL ARGS...: runs cargo with a line of progress every 20 seconds; prints its output only when it fails.
cargo_quietly() {
  local label=$1 log pid seconds=0
  shift
  log=$(mktemp)
  cargo "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 20)) != 0 ] || note "$label: $((seconds / 60)) min $((seconds % 60)) s, $(grep -cE '^ *(Compiling|Checking)' "$log" || true) crates"
  done
  if ! wait "$pid"; then
    tail -n 120 "$log" >&2
    rm -f "$log"
    die "$label failed" "the compiler's messages are above"
  fi
  CARGO_LOG=$log
}

build_binaries() {
  step "Building the node and the executor (about half an hour the first time on two cores)"
  cargo_quietly "build" build --release --locked --workspace
  rm -f "$CARGO_LOG"
}
