#!/usr/bin/env bash
# `make demo-poison`: the same forged answer reaches Unbound twice, first without and then with the trust
# anchor of the zone. Prints what it believed. Exit status 0: fooled the first time, not the second.
set -eu
cd "$(dirname "$0")/../.."
: "${BIN:=$PWD/build/release/bin}"
dir=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT INT TERM
zone=example.com
name=www.$zone

free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until the server at port $1 answers.
wait_for() {
	for _ in $(seq 100); do
		dig +time=1 +tries=1 +noall +comments @127.0.0.1 -p "$1" $zone SOA 2>/dev/null | grep -q status && return
		sleep 0.1
	done
	echo "nothing answers on port $1" >&2
	exit 1
}

ask() {
	dig +time=5 +tries=1 @127.0.0.1 -p "$1" $name A
}

resolver() { # port, trust anchor file or nothing
	cat >"$dir/unbound-$1.conf" <<CONF
server:
  interface: 127.0.0.1
  port: $1
  do-ip6: no
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "$dir"
  pidfile: ""
  use-syslog: no
  logfile: "$dir/unbound-$1.log"
  do-not-query-localhost: no
  ${2:+trust-anchor-file: "$2"}
remote-control:
  control-enable: no
stub-zone:
  name: "$zone"
  stub-addr: 127.0.0.1@$forger
CONF
	unbound -d -p -c "$dir/unbound-$1.conf" >/dev/null 2>&1 &
	pids="$pids $!"
	wait_for "$1"
}

server=$(free_port)
forger=$(free_port)
trusting=$(free_port)
checking=$(free_port)

mkdir "$dir/keys"
ksk=$("$BIN/signet-keymgr" generate -K "$dir/keys" -f KSK $zone)
"$BIN/signet-keymgr" generate -K "$dir/keys" $zone >/dev/null
"$BIN/signet-signzone" -v 0 -S -K "$dir/keys" -d "$dir" -o $zone -f "$dir/zone" test/demo/$zone.zone
"$BIN/signet-keymgr" ds -K "$dir/keys" "$ksk" >"$dir/anchor"
printf 'server:\n  listen: [ 127.0.0.1@%s ]\nzones:\n  - name: %s\n    file: zone\n' "$server" $zone >"$dir/signet.yaml"
"$BIN/signetd" -c "$dir/signet.yaml" >"$dir/signetd.log" 2>&1 &
pids="$pids $!"
wait_for "$server"
/usr/bin/python3 test/demo/forger.py "$forger" "$server" $name. &
pids="$pids $!"
wait_for "$forger"

echo "signetd, asked directly:                       $name is $(ask "$server" | awk '$4 == "A" {print $5}')"
echo
echo "A forger now sits on the line and changes that address on its way."
echo
resolver "$trusting" ""
believed=$(ask "$trusting" | awk '$4 == "A" {print $5}')
echo "1. Unbound without our trust anchor:           $name is $believed"
resolver "$checking" "$dir/anchor"
ask "$checking" >"$dir/second"
status=$(sed -n 's/.*status: \([A-Z]*\).*/\1/p' "$dir/second")
echo "2. Unbound with our DS record as trust anchor: $status: the signature does not fit, nothing is believed"
echo
if [ "$believed" = 203.0.113.66 ] && [ "$status" = SERVFAIL ]; then
	echo "The forged address was believed in the first run and refused in the second."
else
	echo "This did not go as it should: believed $believed, then $status." >&2
	exit 1
fi
