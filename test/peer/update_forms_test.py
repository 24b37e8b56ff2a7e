#!/usr/bin/env python3
"""Each form of prerequisite and update, by nsupdate and knsupdate, in zones with NSEC, NSEC3 and none; what comes of
updates validates; many clients at once; large ones; what nobody may ask for. update_test.py has keys, refusals, files and
crashes."""
import concurrent.futures

import dns.flags
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import peer
import updating

# The resolver is to keep no NSEC record: the next update may make it wrong.
ZONE = '''$TTL 300
@ SOA ns host 1 3600 900 1209600 0
@ NS ns
ns A 127.0.0.1
www A 192.0.2.1
www A 192.0.2.2
alias CNAME www
a.b.ent TXT "below an empty name"
*.wild A 192.0.2.3
sub NS ns.sub
ns.sub A 192.0.2.4
'''
ZONES = {'nsec.': 'default', 'nsec3.': 'hashed', 'plain.': None}
REFUSALS = [  # prerequisite, and what becomes of it
    ('nxdomain www', 'YXDOMAIN'), ('yxdomain none', 'NXDOMAIN'), ('yxdomain b.ent', 'NXDOMAIN'),
    ('nxrrset www A', 'YXRRSET'), ('yxrrset www TXT', 'NXRRSET'), ('yxrrset www A 192.0.2.1', 'NXRRSET')]


def lines(zone, text):
    """Names that end in no dot are completed with the zone."""
    out = []
    for line in text.strip().splitlines():
        words = line.split()
        at = 2 if words[0] in ('update', 'prereq') else 1
        if not words[at].endswith('.'):
            words[at] = f'{words[at]}.{zone}' if words[at] != '@' else zone
        out.append(' '.join(words))
    return '\n'.join(out)


def nsupdate(server, zone, text, program='nsupdate', key=True, options=()):
    """Runs the program; returns the rcode in its words, NOERROR where it has none."""
    script = f'server 127.0.0.1 {server.port}\nzone {zone}\n{lines(zone, text)}\nsend\n'
    who = ['-k', server.key_file] if program == 'nsupdate' else ['-y', updating.KEY_ARGUMENT]
    args = [program, *options] + (who if key else [])
    status, output = peer.run(*args, stdin=script.encode(), timeout=30)
    for rcode in ('NXDOMAIN', 'YXDOMAIN', 'NXRRSET', 'YXRRSET', 'NOTAUTH', 'NOTZONE', 'REFUSED', 'FORMERR', 'SERVFAIL'):
        if rcode in output:
            return rcode
    return 'NOERROR' if status == 0 else f'status {status}: {output}'


def answer(server, name, rdtype):
    """The rdata of the answer, sorted; None where there is no such name."""
    r = server.ask(name, rdtype, dnssec=False, tcp=True)
    if r.rcode() == dns.rcode.NXDOMAIN:
        return None
    return sorted(rd.to_text() for rrset in r.answer if rrset.rdtype == dns.rdatatype.from_text(rdtype)
                  for rd in rrset)


def serial(server, zone):
    return int(answer(server, zone, 'SOA')[0].split()[2])


def check_program(t, server, program, zone):
    def step(name, text, rcode='NOERROR', **more):
        got = nsupdate(server, zone, text, program, **more)
        t.check(f'{program} {zone} {name}', got == rcode, got)

    before = serial(server, zone)
    for prerequisite, rcode in REFUSALS:
        step(prerequisite, f'prereq {prerequisite}\nupdate add new 60 A 192.0.2.9', rcode)
    t.check(f'{program} {zone} nothing changed', serial(server, zone) == before)
    step('that is there', 'update add www 300 A 192.0.2.1\nupdate delete none\nupdate delete www TXT')
    t.check(f'{program} {zone} no change, no serial', serial(server, zone) == before)
    step('prerequisites that hold', 'prereq nxdomain new\nprereq yxdomain www\nprereq nxrrset www TXT\nprereq yxrrset www A\n'
         'prereq yxrrset www A 192.0.2.2\nprereq yxrrset www A 192.0.2.1\nupdate add new 60 A 192.0.2.9')
    t.check(f'{program} {zone} added', answer(server, f'new.{zone}', 'A') == ['192.0.2.9'])
    t.check(f'{program} {zone} serial', serial(server, zone) == before + 1)
    step('over TCP', 'update add new 60 A 192.0.2.10', options=['-v'])
    t.check(f'{program} {zone} two', answer(server, f'new.{zone}', 'A') == ['192.0.2.10', '192.0.2.9'])
    step('one of two', 'update delete new A 192.0.2.9')
    t.check(f'{program} {zone} one', answer(server, f'new.{zone}', 'A') == ['192.0.2.10'])
    step('beside a CNAME', 'update add alias 60 A 192.0.2.1\nupdate add www 60 CNAME ns.' + zone)
    t.check(f'{program} {zone} CNAME alone', answer(server, f'alias.{zone}', 'A') == []
            or answer(server, f'alias.{zone}', 'A') == ['192.0.2.1', '192.0.2.2'])
    step('the apex', 'update delete @\nupdate delete @ NS\nupdate delete @ SOA')
    t.check(f'{program} {zone} apex stays', len(answer(server, zone, 'NS')) == 1 and serial(server, zone) > 0)
    step('a whole name', 'update delete new')
    t.check(f'{program} {zone} gone', answer(server, f'new.{zone}', 'A') is None)
    step('another zone', 'update add www.elsewhere. 60 A 192.0.2.1', 'NOTZONE')
    step('without a key', 'update add new 60 A 192.0.2.1', 'REFUSED', key=False)
    t.check(f'{program} {zone} not there', answer(server, f'new.{zone}', 'A') is None)


def update(server, zone, key=True):
    if not key:
        return dns.update.Update(zone)
    return dns.update.Update(zone, keyring=server.keyring, keyalgorithm=dns.tsig.HMAC_SHA256)


def send(server, u, tcp=True):
    return (dns.query.tcp if tcp else dns.query.udp)(u, '127.0.0.1', port=server.port, timeout=20).rcode()


def check_rcodes(t, server):
    def gives(name, u, rcode):
        got = send(server, u)
        t.check(name, got == rcode, dns.rcode.to_text(got))

    u = update(server, 'sub.nsec.')
    u.add('a', 60, 'A', '192.0.2.1')
    gives('a zone that is delegated', u, dns.rcode.NOTAUTH)
    u = update(server, 'nsec.')
    u.add('soa', 60, 'A', '192.0.2.1')
    u.question[0].rdtype = dns.rdatatype.A
    gives('a zone section that is none', u, dns.rcode.FORMERR)
    u = update(server, 'nsec.')
    gives('nothing at all', u, dns.rcode.NOERROR)


def check_held(t, server):
    """Nobody can ask for signatures that last longer than they can."""
    for ttl in (2**31 - 1, 2**31, 2**32 - 1, 31536001):
        for key in (False, True):
            u = update(server, 'nsec.', key)
            u.add('long', ttl, 'A', '192.0.2.1')
            want = dns.rcode.NOERROR if key and ttl >= 2**31 else dns.rcode.REFUSED
            t.check(f'TTL {ttl} {key}', send(server, u) == want)
    u = update(server, 'nsec.')
    u.add('@', 300, 'SOA', f'ns host {serial(server, "nsec.") + 1} 3600 900 {2**31} 0')
    t.check('SOA expire', send(server, u) == dns.rcode.REFUSED)
    u = update(server, 'nsec.')
    u.delete('long')
    t.check('updates go on', send(server, u) == dns.rcode.NOERROR)


def check_soa(t, server):
    before = serial(server, 'nsec.')
    for step, want in ((0, before), (-1, before), (1000, before + 1000)):
        u = update(server, 'nsec.')
        u.add('@', 300, 'SOA', f'ns host {before + step} 3600 900 1209600 0')
        t.check(f'SOA {step}', send(server, u) == dns.rcode.NOERROR)
        t.check(f'SOA {step} serial', serial(server, 'nsec.') == want, serial(server, 'nsec.'))


def check_many(t, server, zone):
    """64 clients at once; none is lost, and none is in half."""
    def client(i):
        u = update(server, zone)
        u.absent(f'c{i}')
        u.add(f'c{i}', 60, 'A', f'192.0.2.{i}')
        u.add(f'c{i}.below', 60, 'TXT', f'"{i}"')
        u.add('_acme-challenge', 60, 'TXT', f'"{i}"')
        return send(server, u)

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        rcodes = list(pool.map(client, range(64)))
    t.check(f'{zone} all were taken', rcodes == [dns.rcode.NOERROR] * 64, rcodes)
    there = [answer(server, f'c{i}.{zone}', 'A') == [f'192.0.2.{i}'] and
             answer(server, f'c{i}.below.{zone}', 'TXT') == [f'"{i}"'] for i in range(64)]
    t.check(f'{zone} all are there', all(there))
    t.check(f'{zone} all at one name', len(answer(server, f'_acme-challenge.{zone}', 'TXT')) == 64)
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        rcodes = list(pool.map(client, range(64)))
    t.check(f'{zone} prerequisites see what is there', rcodes == [dns.rcode.YXDOMAIN] * 64, rcodes)


def check_large(t, server, zone):
    u = update(server, zone)
    for i in range(1500):
        u.add(f'h{i}', 60, 'A', '192.0.2.1')
    t.check(f'{zone} 1500 names', send(server, u) == dns.rcode.NOERROR)
    t.check(f'{zone} the last', answer(server, f'h1499.{zone}', 'A') == ['192.0.2.1'])
    u = update(server, zone)
    for i in range(200):
        u.add('large', 60, 'TXT', f'"{i:0255}"')
    t.check(f'{zone} a large set', send(server, u) == dns.rcode.NOERROR)
    u = update(server, zone)
    for i in range(200, 280):
        u.add('large', 60, 'TXT', f'"{i:0255}"')
    t.check(f'{zone} too large a set', send(server, u) == dns.rcode.REFUSED)
    r = server.ask(f'large.{zone}', 'TXT', dnssec=False, tcp=True)
    t.check(f'{zone} can be asked for', len(r.answer[0]) == 200)
    u = update(server, zone)
    for i in range(1500):
        u.delete(f'h{i}')
    u.delete('large')
    t.check(f'{zone} all away', send(server, u) == dns.rcode.NOERROR)
    t.check(f'{zone} the last is gone', answer(server, f'h1499.{zone}', 'A') is None)


def check_validates(t, server, resolver, zone):
    """What comes, changes and goes validates: wildcards, empty names, cuts, too."""
    def secure(name, rdtype, rcode, what):
        r = resolver.ask(f'{name}.{zone}', rdtype)
        t.check(f'{zone} {what}: {name} {rdtype}', r.rcode() == rcode and (r.flags & dns.flags.AD) != 0,
                f'{dns.rcode.to_text(r.rcode())} {dns.flags.to_text(r.flags)}')

    def after(what, edit, *expected):
        u = update(server, zone)
        edit(u)
        t.check(f'{zone} {what}', send(server, u) == dns.rcode.NOERROR)
        for name, rdtype, rcode in expected:
            secure(name, rdtype, rcode, what)

    ok, no = dns.rcode.NOERROR, dns.rcode.NXDOMAIN
    after('a signed name is hidden and seen again', lambda u: (u.add('c.v6', 1, 'A', '192.0.2.1'), u.add('v6', 1, 'NS', 'ns')),
          ('v6', 'DS', ok))
    after('the cut goes', lambda u: u.delete('v6', 'NS'), ('c.v6', 'A', ok), ('d.v6', 'A', no))
    ds = '1 13 2 ' + '00' * 32
    after('a signed cut', lambda u: (u.add('v7', 1, 'NS', 'ns'), u.add('v7', 1, 'DS', ds)))
    after('its NS go first', lambda u: u.delete('v7', 'NS'), ('v7', 'DS', no))
    after('DS without a cut', lambda u: (u.add('v8', 1, 'DS', ds), u.add('@', 1, 'DS', ds)), ('v8', 'DS', no))
    after('a name comes', lambda u: u.add('v1', 1, 'A', '192.0.2.1'), ('v1', 'A', ok), ('v1', 'TXT', ok), ('v11', 'A', no))
    after('below an empty name', lambda u: u.add('x.y.v2', 1, 'A', '192.0.2.1'), ('x.y.v2', 'A', ok), ('y.v2', 'A', ok),
          ('z.v2', 'A', no))
    after('the empty name goes', lambda u: u.delete('x.y.v2'), ('w.y.v2', 'A', no), ('v2', 'AAAA', no))
    after('a wildcard comes', lambda u: u.add('*.v3', 1, 'A', '192.0.2.1'), ('q.v3', 'A', ok), ('r.v3', 'TXT', ok))
    after('a name beside the wildcard', lambda u: u.add('n.v3', 1, 'TXT', 'x'), ('n.v3', 'A', ok), ('m.v3', 'A', ok))
    after('the wildcard goes', lambda u: u.delete('*.v3'), ('o.v3', 'A', no), ('n.v3', 'TXT', ok))
    after('a CNAME', lambda u: u.add('v4', 1, 'CNAME', f'v1.{zone}'), ('v4', 'A', ok))
    after('a DNAME', lambda u: u.add('v5', 1, 'DNAME', f'v3.{zone}'), ('n.v5', 'TXT', ok))
    after('a TTL', lambda u: u.add('v1', 2, 'A', '192.0.2.1'), ('v1', 'A', ok))
    after('the apex', lambda u: u.add('@', 1, 'MX', f'1 v1.{zone}'))
    r = resolver.ask(zone, 'MX')
    t.check(f'{zone} MX', len(r.answer) == 2 and (r.flags & dns.flags.AD) != 0)


def main():
    with peer.Test('update_forms') as t:
        server = updating.signetd(t, {zone: (ZONE, policy) for zone, policy in ZONES.items()})
        for program in ('nsupdate', 'knsupdate'):
            for zone in ZONES:
                check_program(t, server, program, zone)
        check_rcodes(t, server)
        check_held(t, server)
        check_soa(t, server)
        signed = [zone for zone in ZONES if ZONES[zone] is not None]
        resolver = peer.unbound(t, {zone: server.port for zone in signed}, updating.anchors(server, signed))
        for zone in signed:
            check_validates(t, server, resolver, zone)
            check_many(t, server, zone)
            check_large(t, server, zone)


if __name__ == '__main__':
    main()
