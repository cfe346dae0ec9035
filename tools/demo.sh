#!/usr/bin/env bash
# Shows a working agent: starts one in dev mode, runs a job on it, says where to look, and stays until Ctrl-C.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  cat <<'END'
usage: tools/demo.sh BINARY [--once] [--port HTTP]
  --once       stop after the sample job has run, instead of waiting for Ctrl-C
  --port HTTP  HTTP port (4646); the two ports above it are used for RPC and gossip
END
}

binary='' once=false port=4646 port_given=false
while [ $# -gt 0 ]; do
  case $1 in
    --once) once=true ;;
    --port)
      port=${2:-}
      port_given=true
      case $port in '' | *[!0-9]*) usage >&2; exit 2 ;; esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) binary=$1 ;;
  esac
  shift
done
[ -n "$binary" ] || { usage >&2; exit 2; }
binary=$(realpath "$binary")
[ -x "$binary" ] || { echo "demo: $binary is not there or not executable; run ./dev build" >&2; exit 1; }

address=http://127.0.0.1:$port
say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }

# The caller's own cluster stays out of this.
for name in ${!NOMAD_@}; do unset "$name"; done
export NOMAD_ADDR=$address

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
for p in "$port" $((port + 1)) $((port + 2)); do
  if taken "$p"; then
    echo "demo: port $p on 127.0.0.1 is taken, perhaps by an agent that runs already." >&2
    if $port_given; then echo "demo: choose another --port." >&2
    else echo "demo: stop it, or run ./dev run --port 5646" >&2; fi
    exit 1
  fi
done

work=$(mktemp -d "${TMPDIR:-/tmp}/drover-demo.XXXXXX")
log=$work/agent.log
agent=

stop() {
  trap - EXIT INT TERM
  if [ -n "$agent" ] && kill -0 "$agent" 2>/dev/null; then
    say "stopping the agent and its tasks"
    kill -TERM "$agent" 2>/dev/null || true
    for _ in $(seq 100); do
      kill -0 "$agent" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$agent" 2>/dev/null || true
    wait "$agent" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 0' INT TERM

give_up() {
  echo "demo: $*" >&2
  echo "demo: the end of the agent's log:" >&2
  tail -n 20 "$log" >&2 || true
  exit 1
}

# The body of a GET, with nothing but bash.
get() {
  exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$1" >&3
  cat <&3 || true
  exec 3>&-
}

# until_true TENTHS WHAT COMMAND...: tries every tenth of a second while the agent lives.
until_true() {
  local tenths=$1 what=$2
  shift 2
  for _ in $(seq "$tenths"); do
    if "$@" 2>/dev/null; then return 0; fi
    kill -0 "$agent" 2>/dev/null || give_up "the agent ended before $what"
    sleep 0.1
  done
  give_up "no sign that $what after $((tenths / 10)) s"
}
has_leader() { get /v1/status/leader | grep -q '"127.0.0.1:'; }
node_ready() { get /v1/nodes | grep -q '"Status":"ready"'; }
has_output() { [ -n "$("$binary" alloc logs -job hello 2>/dev/null)" ]; }

run() {
  printf '\n\033[2m$ drover %s\033[0m\n' "$*"
  "$binary" "$@"
}

cat >"$work/ports.hcl" <<END
ports {
  http = $port
  rpc  = $((port + 1))
  serf = $((port + 2))
}
END

say "starting an agent: drover agent -dev (log: $log)"
# A process group of its own: Ctrl-C reaches this script only, which then stops the agent in order.
set -m
(cd "$work" && TMPDIR=$work exec "$binary" agent -dev -config "$work/ports.hcl") >"$log" 2>&1 </dev/null &
agent=$!
set +m
until_true 300 "a server leads" has_leader
until_true 300 "the node is ready" node_ready

say "running a job: examples/hello.nomad.hcl"
run job run "$here/examples/hello.nomad.hcl" || give_up "the job did not start"
run job status hello
until_true 200 "the task prints" has_output
run alloc logs -tail -n 1 -job hello

if $once; then exit 0; fi

say "the agent answers at $address until you press Ctrl-C"
cat <<END

In another terminal:
  export PATH=$(dirname "$binary"):\$PATH$([ "$port" = 4646 ] || printf '\n  export NOMAD_ADDR=%s' "$address")
  drover job status                            all jobs
  drover alloc logs -f -job hello              follow the output
  drover node status                           the node
  drover job run examples/batch.nomad.hcl      another job; examples/ has more
  drover job stop hello                        stop it
  curl $address/v1/jobs            the same by HTTP
END
wait "$agent" || true
agent=
echo "demo: the agent has ended; the end of its log:" >&2
tail -n 20 "$log" >&2
exit 1
