#!/usr/bin/env python3
"""BIND, Knot and NSD as secondaries of signetd: zones of every kind come over record for record, signed with each
algorithm and not, and follow each update by its difference; also when the primary was away, or was killed."""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rdatatype
import peer
import transfers
from transfers import ALGORITHMS, SECRET, key_name, serial_of, signetd, transfer, update

ZONES = {'plain.': None, 'nsec.': 'default', 'hashed.': 'hashed'}


# --- secondaries ----------------------------------------------------------------------------------

def named(t, primary, zones, algorithm):
    port = peer.free_port()
    name = f'named-{algorithm}'
    os.makedirs(t.path(name), exist_ok=True)
    key = f'key "{key_name(algorithm)}"' if algorithm else ''
    rows = ''.join(f'''zone "{z}" {{ type secondary; file "{t.path(name, z)}db"; masterfile-format text;
  primaries {{ 127.0.0.1 port {primary.port} {key}; }}; min-refresh-time 1; min-retry-time 1; max-refresh-time 5; request-ixfr yes; }};
''' for z in zones)
    define = f'key "{key_name(algorithm)}" {{ algorithm {algorithm}; secret "{SECRET}"; }};\n' if algorithm else ''
    config = t.write(f'{name}.conf', f'''options {{
  directory "{t.path(name)}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no; session-keyfile none; empty-zones-enable no; allow-transfer {{ any; }};
  allow-notify {{ any; }}; serial-query-rate 1000; transfers-per-ns 10; }};
controls {{ }};
{define}{rows}''')
    return peer.Daemon(t, ['named', '-g', '-n', '1', '-c', config], port, t.path(f'{name}.log'))


def knotd(t, primary, zones, algorithm):
    port = peer.free_port()
    name = f'knot-{algorithm}'
    os.makedirs(t.path(name), exist_ok=True)
    define = f'key:\n  - id: {key_name(algorithm)}\n    algorithm: {algorithm}\n    secret: {SECRET}\n' if algorithm else ''
    key = f'    key: {key_name(algorithm)}\n' if algorithm else ''
    rows = ''.join(f'  - domain: "{z}"\n    master: primary\n    acl: [ give, heed ]\n' for z in zones)
    config = t.write(f'{name}.conf', f'''server:
    rundir: {t.path(name)}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    tcp-io-timeout: 0
    background-workers: 2
log:
  - target: stderr
    any: info
database:
    storage: {t.path(name)}
{define}remote:
  - id: primary
    address: 127.0.0.1@{primary.port}
{key}acl:
  - id: give
    action: transfer
  - id: heed
    action: notify
template:
  - id: default
    storage: {t.path(name)}
    semantic-checks: off
    refresh-max-interval: 3
zone:
{rows}''')
    return peer.Daemon(t, ['knotd', '-c', config], port, t.path(f'{name}.log'))


def nsd(t, primary, zones, algorithm):
    port = peer.free_port()
    name = f'nsd-{algorithm}'
    os.makedirs(t.path(name), exist_ok=True)
    define = f'key:\n  name: "{key_name(algorithm)}"\n  algorithm: {algorithm}\n  secret: "{SECRET}"\n' if algorithm else ''
    key = key_name(algorithm) if algorithm else 'NOKEY'
    rows = ''.join(f'''zone:
  name: "{z}"
  zonefile: "{z}zone"
  request-xfr: 127.0.0.1@{primary.port} {key}
  allow-notify: 127.0.0.1 NOKEY
  provide-xfr: 127.0.0.1 NOKEY
  min-refresh-time: 1
  max-refresh-time: 3
  min-retry-time: 1
''' for z in zones)
    config = t.write(f'{name}.conf', f'''server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{t.path(name)}"
  database: ""
  pidfile: "{t.path(name, 'pid')}"
  xfrdfile: "{t.path(name, 'xfrd')}"
  xfrdir: "{t.path(name)}"
  zonelistfile: "{t.path(name, 'list')}"
  server-count: 1
  rrl-ratelimit: 0
  verbosity: 2
  xfrd-reload-timeout: 0
remote-control:
  control-enable: no
{define}{rows}''')
    return peer.Daemon(t, ['nsd', '-d', '-c', config], port, t.path(f'{name}.log'))


SECONDARIES = {'named': named, 'knotd': knotd, 'nsd': nsd}


def notify(secondary, zone):
    """There may be something new (RFC 1996); who sends it is not what is tested here."""
    q = dns.message.make_query(zone, 'SOA')
    q.flags = dns.flags.AA
    q.set_opcode(dns.opcode.NOTIFY)
    try:
        dns.query.udp(q, '127.0.0.1', port=secondary.port, timeout=1)
    except Exception:
        pass  # it looks by itself as well


def has(secondary, zone, serial):
    try:
        return serial_of(secondary, zone) == serial
    except Exception:
        return False


def follows(t, what, primary, secondary, zones):
    """Every zone is there, record for record."""
    for zone in zones:
        serial = serial_of(primary, zone)
        notify(secondary, zone)
        try:
            peer.wait_for(lambda: has(secondary, zone, serial), f'{zone} {serial} at {what}', 60)
        except RuntimeError as e:
            t.check(f'{what} has {zone} {serial}', False, f'{e}: {secondary.log()[-1500:]}')
            continue
        ours, theirs = transfer(primary, zone), transfer(secondary, zone)
        mine, other = ours.zone(), theirs.zone()
        t.check(f'{what} has {zone} {serial} record for record', mine == other and not ours.faults,
                f'{len(mine)} {len(other)} {list(mine ^ other)[:3]}')


def changes(r, names):
    """A few random ones."""
    out = []
    for _ in range(r.randrange(1, 6)):
        n = r.randrange(names * 2)
        kind = r.randrange(5)
        if kind == 0:
            out.append(('delete', f'host{n} A'))
        elif kind == 1:
            out.append(('delete', f'host{n}'))
        elif kind == 2:
            out.append(('add', f'host{n} {r.choice([60, 300])} A 192.0.2.{r.randrange(250)}'))
        elif kind == 3:
            out.append(('add', f'new{n}.deep.er 60 TXT "{"t" * r.randrange(200)}"'))
        else:
            out.append(('add', f'cut{n} 60 NS ns.cut{n}'))
    return out


def differences_sent(primary):
    return primary.log().count('answer=differences')


def all_kinds(t, primary):
    """All zones to all secondaries, and updates to follow."""
    r = random.Random(1995)
    secondaries = {name: start(t, primary, ZONES, 'hmac-sha256') for name, start in SECONDARIES.items()}
    for name, s in secondaries.items():
        follows(t, name, primary, s, ZONES)
    for round_ in range(6):
        before = differences_sent(primary)
        for zone in ZONES:
            for _ in range(1 + round_ * 3):
                update(primary, zone, changes(r, 60))
        for name, s in secondaries.items():
            follows(t, f'{name}, round {round_},', primary, s, ZONES)
        t.check(f'round {round_}: by differences', differences_sent(primary) - before >= len(ZONES) * len(SECONDARIES),
                f'{differences_sent(primary) - before}')
    return secondaries


def away(t, primary, secondaries):
    """The primary goes, and comes again with what it had; killed as well."""
    r = random.Random(7)
    for sig in (15, 9):
        for zone in ZONES:
            update(primary, zone, changes(r, 60))
        transfers.end(t, primary, sig)
        primary = transfers.again(t, primary)
        before = differences_sent(primary)
        for zone in ZONES:
            update(primary, zone, changes(r, 60))
        for name, s in secondaries.items():
            follows(t, f'{name}, after signal {sig},', primary, s, ZONES)
        t.check(f'after signal {sig}: by differences', differences_sent(primary) > before)
    for s in secondaries.values():
        s.stop()
    return primary


def algorithms(t, primary):
    """Signed with each, and not at all."""
    for name, start in SECONDARIES.items():
        for a in [None] + [a for a in ALGORITHMS if a.count('-') == 1]:
            if (name, a) == ('nsd', 'hmac-sha256') or a == 'hmac-sha256':
                continue  # all_kinds did
            s = start(t, primary, ['plain.'], a)
            follows(t, f'{name} with {a}', primary, s, ['plain.'])
            update(primary, 'plain.', [('add', f'{name}-{a} 60 A 192.0.2.1')])
            follows(t, f'{name} with {a}, updated,', primary, s, ['plain.'])
            s.stop()


def large(t):
    """Transfers of many messages, each signed."""
    zones = {'large.': (transfers.zone_text('large.', 40000), None), '.': (os.path.abspath(os.path.join(peer.DATA, 'root-2020101902.zone')), None)}
    primary = signetd(t, zones, name='large', update=False)
    for name, start in SECONDARIES.items():
        s = start(t, primary, zones, 'hmac-sha256')
        follows(t, name, primary, s, zones)
        s.stop()
    transfers.end(t, primary)


def main():
    with peer.Test('xfr_secondaries') as t:
        zones = {zone: (transfers.zone_text(zone, 60), policy) for zone, policy in ZONES.items()}
        primary = signetd(t, zones, allow='[ 127.0.0.1, "::1" ]')
        secondaries = all_kinds(t, primary)
        primary = away(t, primary, secondaries)
        algorithms(t, primary)
        large(t)


if __name__ == '__main__':
    main()
