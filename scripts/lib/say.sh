# Sourced: how the scripts speak. Messages go to standard error, so that standard output can be piped.

if [ -t 2 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' PLAIN=$'\e[0m'; else BOLD='' DIM='' RED='' PLAIN=''; fi

step() { printf '%s==> %s%s\n' "$BOLD" "$*" "$PLAIN" >&2; }
note() { printf '%s    %s%s\n' "$DIM" "$*" "$PLAIN" >&2; }

# die WHAT HOW: says what is wrong and what to do about it.
die() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
  [ $# -lt 2 ] || printf '       %s\n' "$2" >&2
  exit 1
}
