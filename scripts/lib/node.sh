# Sourced after toolchain.sh: waiting for a node that was just started.

# wait_for_port PORT PID LOG: returns when the node listens; ends with its log when it does not.
wait_for_port() {
  local port=$1 pid=$2 log=$3 tries
  for ((tries = 0; ; tries++)); do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$log" >&2; die "the node ended before it opened port $port" "its last lines are above"; }
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    [ "$tries" -lt 600 ] || { tail -n 20 "$log" >&2; die "the node did not open port $port within two minutes" "its last lines are above"; }
    sleep 0.2
  done
}
