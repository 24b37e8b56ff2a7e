#!/usr/bin/env python3
"""signetd between an unsigned primary and the secondaries of the signed zone: what comes in is signed here, follows each change
by its difference, has serials of its own, and survives the end of signetd and a change of mind."""
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.query
import dns.rcode
import dns.update
import peer
from secondary_test import ZONE, Fake, closes, rcode, reaches, whole
from transfers import again, apply, content, differences, end, serial_of, transfer, zone_text

POLICIES = {'nsec.': 'denial: nsec', 'hashed.': 'denial: nsec3, zonemd: sha384', 'optout.': 'denial: nsec3-opt-out, keys: csk'}
ZONES = list(POLICIES)
REFRESH = 3600  # so that only NOTIFY makes it quick


def signer_config(t, port, primary, to, signs=True):
    text = f'''server:
  listen: 127.0.0.1@{port}
  database: {t.path('signer')}.db
  control: "{t.path('signer')}.control"
remotes:
  - {{ name: primary, addresses: 127.0.0.1, port: {primary} }}
  - {{ name: down, addresses: 127.0.0.1, port: {to} }}
policies:
'''
    for i, z in enumerate(ZONES):
        text += f'  - {{ name: p{i}, {POLICIES[z]} }}\n'
    text += 'zones:\n'
    for i, z in enumerate(ZONES):
        text += f'  - {{ name: "{z}", primaries: primary, allow-transfer: any, notify: down, dnssec: {f"p{i}" if signs else "no"} }}\n'
    return t.write('signer.yaml', text)


def signer(t, port, primary, to):
    os.makedirs(t.path('signer.db'), exist_ok=True)
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', signer_config(t, port, primary, to)], port, t.path('signer.log'))
    d.config = t.path('signer.yaml')
    peer.wait_for(d.is_up, 'answer from the signer')
    return d


def named(t, name, port, zones):
    """@zones: what stands in the block of each."""
    os.makedirs(t.path(name), exist_ok=True)
    text = f'''options {{ directory "{t.path(name)}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify explicit; notify-delay 0; dnssec-validation no; session-keyfile none; empty-zones-enable no; allow-transfer {{ any; }};
  serial-query-rate 1000; notify-rate 1000; startup-notify-rate 1000; }};
controls {{ }};
'''
    for z, block in zones.items():
        text += f'zone "{z}" {{ {block} check-names ignore; }};\n'
    return peer.Daemon(t, ['named', '-g', '-n', '1', '-c', t.write(f'{name}.conf', text)], port, t.path(f'{name}.log'))


def primary_named(t, port, to):
    return named(t, 'named', port, {z: f'type primary; file "{t.write("named." + z, zone_text(z, refresh=REFRESH))}"; check-integrity no; '
                                       f'allow-update {{ any; }}; also-notify {{ 127.0.0.1 port {to}; }};' for z in ZONES})


def primary_knotd(t, port, to):
    os.makedirs(t.path('knot'), exist_ok=True)
    text = f'''server:
    rundir: {t.path('knot')}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {t.path('knot')}
remote:
  - id: to
    address: 127.0.0.1@{to}
acl:
  - id: all
    action: [ update, transfer ]
template:
  - id: default
    storage: {t.path('knot')}
    semantic-checks: off
    zonefile-sync: -1
    journal-content: changes
    notify: to
    acl: all
zone:
'''
    for z in ZONES:
        text += f'  - domain: "{z}"\n    file: {t.write(f"knot/{z}zone", zone_text(z, refresh=REFRESH))}\n'
    return peer.Daemon(t, ['knotd', '-c', t.write('knot.conf', text)], port, t.path('knot.log'))


def secondary_named(t, port, primary):
    return named(t, 'down', port, {z: f'type secondary; file "{t.path("down", z + "zone")}"; masterfile-format text; '
                                      f'primaries {{ 127.0.0.1 port {primary}; }};' for z in ZONES})


def secondary_knotd(t, port, primary):
    os.makedirs(t.path('down'), exist_ok=True)
    text = f'''server:
    rundir: {t.path('down')}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {t.path('down')}
remote:
  - id: above
    address: 127.0.0.1@{primary}
acl:
  - id: all
    action: [ transfer, notify ]
template:
  - id: default
    storage: {t.path('down')}
    semantic-checks: off
    master: above
    acl: all
zone:
'''
    text += ''.join(f'  - domain: "{z}"\n' for z in ZONES)
    return peer.Daemon(t, ['knotd', '-c', t.write('down.conf', text)], port, t.path('down.log'))


def change(server, zone, r, mark):
    """Some changes in one update: names that come and go, below each other, wildcards, cuts with and without DS."""
    u = dns.update.UpdateMessage(zone)
    u.add('mark', 60, 'TXT', mark)
    for _ in range(8):
        owner = r.choice(['{}', 'x.{}', 'a.b.{}', '*.{}']).format(f'n{r.randrange(12)}')
        kind = r.randrange(5)
        if kind == 0:
            u.delete(owner)
        elif kind == 1:
            u.add(f'cut{r.randrange(6)}', 300, 'NS', 'ns1.elsewhere.')
        elif kind == 2:
            owner = f'cut{r.randrange(6)}'
            u.add(owner, 300, 'NS', 'ns2.elsewhere.')
            u.add(owner, 300, 'DS', f'1 13 2 {"%064x" % r.getrandbits(255)}')
        elif kind == 3:
            u.delete(f'cut{r.randrange(6)}')
        else:
            u.add(owner, r.choice([60, 300]), 'A', f'192.0.2.{r.randrange(200)}')
    answer = dns.query.tcp(u, '127.0.0.1', port=server.port, timeout=30)
    if answer.rcode() != 0:
        raise RuntimeError(f'update of {zone}: {dns.rcode.to_text(answer.rcode())}')


def has_mark(server, zone, mark):
    answer = server.ask(f'mark.{zone}', 'TXT', dnssec=False).answer
    return any(mark in str(rd) for rrset in answer for rd in rrset)


def follow(t, name, primary, ours, down, mark):
    for z in ZONES:
        for what, d in (('signer', ours), ('its secondary', down)):
            peer.wait_for(lambda: has_mark(d, z, mark), f'{mark} of {z} at the {what}', 20)
        peer.wait_for(lambda: serial_of(down, z) == serial_of(ours, z), f'the serial of {z} below', 20)
        wanted, got = content(primary, z), content(ours, z)
        t.check(f'{name}: {z} {mark}: what the primary has', got == wanted, f'more {list(got - wanted)[:3]} less {list(wanted - got)[:3]}')
        signed, below = transfer(ours, z), transfer(down, z)
        faults = signed.faults + [f for f in below.faults if f != 'question']  # Knot has it in each message
        t.check(f'{name}: {z} {mark}: the same below', signed.zone() == below.zone() and not faults, str(faults))


def validate(t, name, ours):
    for z in ZONES:
        path = t.path(f'{z}check')
        ours.transfer(z, path)
        for command in (['ldns-verify-zone', path], ['kzonecheck', '-d', 'on', '-o', z, path], ['dnssec-verify', '-q', '-z', '-o', z, path],
                        [os.path.join(peer.BIN, 'signet-verifyzone'), path]):
            status, said = peer.run(*command)
            t.check(f'{name}: {os.path.basename(command[0])} of {z}', status == 0, said[-800:])


def kinds(ours, zone):
    """How it was transferred each time."""
    return [line.split(' kind=')[1].split()[0] for line in ours.log().splitlines()
            if 'zone-transferred' in line and f'zone={zone} ' in line]


def with_primary(t, name, start, start_below):
    ports = [peer.free_port() for _ in range(3)]
    primary = start(t, ports[0], ports[1])
    peer.wait_for(primary.is_up, f'answer from {name}')
    peer.wait_for(lambda: all(serial_of(primary, z) for z in ZONES), f'zones of {name}')
    ours = signer(t, ports[1], ports[0], ports[2])
    peer.wait_for(lambda: all(serial_of(ours, z) for z in ZONES), 'the zones', 20)
    down = start_below(t, ports[2], ports[1])
    peer.wait_for(down.is_up, 'answer from the secondary')
    peer.wait_for(lambda: all(serial_of(down, z) for z in ZONES), 'the zones below', 20)
    r = random.Random(name)
    for i in range(6):
        for z in ZONES:
            change(primary, z, r, f'round{i}')
        follow(t, name, primary, ours, down, f'round{i}')
        if i == 1:
            end(t, ours)
        elif i == 3:
            end(t, ours, 9)
        if i in (1, 3):
            was = {z: serial_of(down, z) for z in ZONES}
            ours = again(t, ours)
            for z in ZONES:
                peer.wait_for(lambda: serial_of(ours, z) is not None, f'{z} after a start')
                t.check(f'{name}: {z} is there after a start, round {i}', serial_of(ours, z) == was[z], str(was))
    validate(t, name, ours)
    for z in ZONES:
        t.check(f'{name}: {z} came by its differences', kinds(ours, z)[1:] == ['IXFR'] * 6, str(kinds(ours, z)))
    return primary, ours, down


def ctl(ours, *words):
    return peer.ours('signetctl', '-c', ours.config, *words)


def same_content(t, primary, ours, down):
    """All of it once more, and a new serial for nothing: no new version. What comes then still comes by its difference."""
    z = ZONES[0]
    was, log = serial_of(ours, z), ours.log().count('zone-transferred')
    t.check('retransfer is taken', ctl(ours, 'retransfer', z)[0] == 0)
    soa = primary.ask(z, 'SOA', dnssec=False).answer[0][0]
    u = dns.update.UpdateMessage(z)
    u.replace('@', 300, 'SOA', f'{soa.mname} {soa.rname} {soa.serial + 1000} {soa.refresh} {soa.retry} {soa.expire} {soa.minimum}')
    t.check('a new serial', dns.query.tcp(u, '127.0.0.1', port=primary.port, timeout=10).rcode() == 0)
    peer.wait_for(lambda: f'primary-serial: {soa.serial + 1000}' in ctl(ours, 'status', z)[1], 'the new serial of the primary in status', 20)
    t.check('the same content is no new version', serial_of(ours, z) == was and ours.log().count('zone-transferred') == log,
            f'{was} {serial_of(ours, z)}')
    r = random.Random(1)
    for zone in ZONES:
        change(primary, zone, r, 'afterwards')
    follow(t, 'same content', primary, ours, down, 'afterwards')
    t.check('by its difference', kinds(ours, z)[-1] == 'IXFR')


def commands(t, ours):
    """What changes a zone by hand is the primary's; how it is signed is ours."""
    z = ZONES[0]
    for words in (['freeze', z], ['sync', z], ['rollback', z, '1']):
        status, said = ctl(ours, *words)
        t.check(f'{words[0]} is refused', status != 0 and 'primaries' in said, said)
    status, said = ctl(ours, 'sign', z)
    t.check('sign signs anew', status == 0, said)
    status, said = ctl(ours, 'signing', '-nsec3param', '1', '0', '0', '-', z)
    t.check('the chain can be chosen', status == 0, said)
    t.check('and is', ours.ask(z, 'NSEC3PARAM').answer != [])
    validate(t, 'commands', ours)


def reconfigure(t, ours, primary, signs):
    signer_config(t, ours.port, primary.port, 9, signs)
    status, said = ctl(ours, 'reconfig')
    t.check(f'reconfig, signs {signs}', status == 0, said)


def change_of_mind(t, primary, ours):
    """Served as it comes, and then signed again: in both directions without an end of service."""
    reconfigure(t, ours, primary, False)
    for z in ZONES:
        peer.wait_for(lambda: serial_of(ours, z) == serial_of(primary, z) and not ours.ask(z, 'DNSKEY').answer, f'{z} as it comes', 20)
        t.check(f'{z} is as the primary has it', transfer(ours, z).zone() == transfer(primary, z).zone())
    r = random.Random(2)
    for z in ZONES:
        change(primary, z, r, 'plain')
    for z in ZONES:
        peer.wait_for(lambda: transfer(ours, z).zone() == transfer(primary, z).zone(), f'{z} follows as it comes', 20)
    reconfigure(t, ours, primary, True)
    for z in ZONES:
        peer.wait_for(lambda: ours.ask(z, 'DNSKEY').answer, f'{z} is signed', 20)
        change(primary, z, r, 'signed')
    for z in ZONES:
        peer.wait_for(lambda: has_mark(ours, z, 'signed'), f'{z} follows', 20)
        t.check(f'{z} follows by its difference', kinds(ours, z)[-1] == 'IXFR', str(kinds(ours, z)))
        t.check(f'{z} has what the primary has', content(primary, z) == content(ours, z))
    validate(t, 'after a change of mind', ours)


def no_keys(t):
    """Where nobody makes keys, nothing is served unsigned; they are made when somebody asks for it."""
    ports = [peer.free_port() for _ in range(2)]
    primary = primary_named(t, ports[0], ports[1])
    peer.wait_for(primary.is_up, 'answer from named')
    os.makedirs(t.path('bare.db'))
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', t.write('bare.yaml', f'''server:
  listen: 127.0.0.1@{ports[1]}
  database: {t.path('bare.db')}
  control: "{t.path('bare.control')}"
remotes: [ {{ name: primary, addresses: 127.0.0.1, port: {ports[0]} }} ]
policies: [ {{ name: p, auto-generate: no }} ]
zones: [ {{ name: nsec., primaries: primary, dnssec: p, allow-transfer: any }} ]
''')], ports[1], t.path('bare.log'))
    d.config = t.path('bare.yaml')
    peer.wait_for(d.is_up, 'answer')
    peer.wait_for(lambda: 'no keys' in d.log(), 'a reason in the log')
    t.check('it is not served', d.ask('nsec.', 'SOA').rcode() == dns.rcode.SERVFAIL)
    status, said = ctl(d, 'sign', 'nsec.')
    t.check('sign makes keys', status == 0 and 'ksk' in said.lower(), said)
    ctl(d, 'retransfer', 'nsec.')
    peer.wait_for(lambda: d.ask('nsec.', 'DNSKEY').answer, 'the signed zone', 20)
    end(t, d)
    primary.stop()


# --- a primary that does as it is told ------------------------------------------------------------

def signer_of(t, name, primary, policy=''):
    """Signs what a secondary_test.Fake has."""
    port = peer.free_port()
    os.makedirs(t.path(f'{name}.db'))
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', t.write(f'{name}.yaml', f'''server:
  listen: 127.0.0.1@{port}
  database: {t.path(name)}.db
  control: "{t.path(name)}.control"
remotes: [ {{ name: primary, addresses: 127.0.0.1, port: {primary.port} }} ]
policies: [ {{ name: p {policy} }} ]
zones: [ {{ name: "{ZONE}", primaries: primary, dnssec: p, allow-transfer: any }} ]
''')], port, t.path(f'{name}.log'))
    d.config = t.path(f'{name}.yaml')
    peer.wait_for(d.is_up, 'answer')
    return d


def is_good(t, what, d):
    path = t.path('check')
    d.transfer(ZONE, path)
    status, said = peer.ours('signet-verifyzone', path)
    t.check(f'{what}: it validates', status == 0, said[-500:])


def by_axfr(t):
    """What comes as a whole, and differs little, is a small difference for those below."""
    fake = Fake(whole(1, names=200))
    ours = signer_of(t, 'by-axfr', fake)
    reaches(t, 'by AXFR: at first', ours, 1)
    for n in (2, 3):
        before, old = serial_of(ours, ZONE), transfer(ours, ZONE).zone()
        fake.answer = rcode(dns.rcode.NOTIMP, then=whole(n, names=200))
        ctl(ours, 'retransfer', ZONE)
        reaches(t, f'by AXFR: {n}', ours, n)
        x = transfer(ours, ZONE, 'IXFR', before)
        (found,) = differences(x)
        moved = len(found[2]) + len(found[3])
        t.check(f'by AXFR, {n}: a small difference', found[0] == before and moved == 8, (moved, x.faults))  # SOA, TXT, and their RRSIGs
        t.check(f'by AXFR, {n}: that leads there', apply(old, x) == transfer(ours, ZONE).zone())
        is_good(t, f'by AXFR, {n}', ours)
    end(t, ours)
    fake.close()


def renewal(t):
    """Signatures are renewed while no primary answers; and the serial, which is our own, moves on."""
    fake = Fake(whole(1, expire=600))
    ours = signer_of(t, 'renewal', fake, ', refresh: 7200s, validity: 7203s, jitter: 2s')
    reaches(t, 'renewal: at first', ours, 1)
    fake.answer = closes
    first = serial_of(ours, ZONE)
    peer.wait_for(lambda: serial_of(ours, ZONE) >= first + 2, 'renewal without a primary', 20)
    is_good(t, 'renewal without a primary', ours)
    was = serial_of(ours, ZONE)
    fake.answer = whole(2, expire=600)
    ctl(ours, 'retransfer', ZONE)
    reaches(t, 'renewal: what comes then', ours, 2)
    t.check('renewal: serials go on', serial_of(ours, ZONE) > was, (was, serial_of(ours, ZONE)))
    is_good(t, 'renewal: what comes then', ours)
    end(t, ours)
    fake.close()


def expiry(t):
    """As a secondary that does not sign: SERVFAIL when no primary has answered for so long, and back by itself."""
    fake = Fake(whole(1, expire=4))
    ours = signer_of(t, 'expiry', fake)
    reaches(t, 'expiry: at first', ours, 1)
    was = serial_of(ours, ZONE)
    fake.answer = closes
    peer.wait_for(lambda: ours.ask(ZONE, 'SOA').rcode() == dns.rcode.SERVFAIL, 'SERVFAIL after expiry', 20)
    end(t, ours)
    ours = again(t, ours)
    t.check('expiry: nor after a restart', ours.ask(ZONE, 'SOA').rcode() == dns.rcode.SERVFAIL)
    fake.answer = whole(2)
    reaches(t, 'expiry: back with another version', ours, 2)
    t.check('expiry: serials go on', serial_of(ours, ZONE) > was)
    is_good(t, 'expiry', ours)
    end(t, ours)
    fake.close()


def main():
    with peer.Test('signing_secondary') as t:
        for name, start, below in (('knotd', primary_knotd, secondary_named), ('named', primary_named, secondary_knotd)):
            primary, ours, down = with_primary(t, name, start, below)
            if name == 'named':
                same_content(t, primary, ours, down)
                commands(t, ours)
                change_of_mind(t, primary, ours)
            for d in (down, primary):
                d.stop()
            end(t, ours)
            peer.run('rm', '-rf', t.path('signer.db'), t.path('signer.log'), t.path('down'))
        for part in (no_keys, by_axfr, renewal, expiry):
            part(t)


main()
