#!/usr/bin/env bash
# `make run`: keys, a signed zone and a server on port 8853, in run/, until Ctrl-C.
set -eu
cd "$(dirname "$0")/../.."
: "${BIN:=$PWD/build/release/bin}"
zone=example.com
port=8853
mkdir -p run/keys
chmod 700 run/keys

[ -e run/$zone.zone ] || cp test/demo/$zone.zone run/$zone.zone

# Keys are made once; later runs find them again, or say what is wrong with them.
if ! ls run/keys/K$zone.+* >/dev/null 2>&1; then
	echo "making a KSK and a ZSK for $zone in run/keys"
	"$BIN/signet-keymgr" generate -K run/keys -f KSK $zone >/dev/null
	"$BIN/signet-keymgr" generate -K run/keys $zone >/dev/null
fi
echo "keys of $zone:"
"$BIN/signet-keymgr" list -K run/keys $zone | sed 's/^/  /'

# unixtime: a new serial with each run, so that nobody keeps old data.
"$BIN/signet-signzone" -v 0 -S -K run/keys -d run -N unixtime -o $zone -f run/$zone.signed run/$zone.zone
"$BIN/signet-verifyzone" -q run/$zone.signed

cat >run/signet.yaml <<YAML
server:
  listen: [ 127.0.0.1@$port, "::1@$port" ]
zones:
  - name: $zone
    file: $zone.signed
YAML

ksk=$(grep -l 'DNSKEY 257' run/keys/K$zone.*.key | head -n 1)
set -- $(grep -v '^;' "$ksk")
printf 'trust-anchors { %s. static-key %s %s %s "%s"; };\n' $zone "$4" "$5" "$6" "$7" >run/anchor.conf

cat <<TEXT

Serving $zone on 127.0.0.1 and ::1, port $port, UDP and TCP. Try from another terminal:

  dig +dnssec @127.0.0.1 -p $port www.$zone
  dig +dnssec @::1 -p $port nothing.$zone +tcp
  delv @127.0.0.1 -p $port -a run/anchor.conf +root=$zone www.$zone      # prints: fully validated

The DS record that the parent zone would publish:

  $("$BIN/signet-keymgr" ds "$ksk")

Change run/$zone.zone and run this again for another version. Ctrl-C stops.

TEXT
exec "$BIN/signetd" -c run/signet.yaml
