#!/usr/bin/env python3
"""signet-signzone as operators use it: the same output whatever the threads, signatures that are good are
kept, chains are switched, serials move, dsset files go up and down; and what it says when it cannot."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer

ZONE = '''$ORIGIN example.
$TTL 300
@         SOA ns1 host 2026112401 3600 900 1209600 300
          NS ns1
ns1       A 192.0.2.53
www       A 192.0.2.1
*.wild    TXT "wild"
a.b.ent   A 192.0.2.3
child     NS ns1
insecure  NS ns1
dn        DNAME tree.example.net.
$GENERATE 1-400 h$ A 192.0.2.7
'''
# All kinds of name and set that matter, but for the types that validns lacks.
FOR_VALIDNS = '''$ORIGIN example.
$TTL 300
@            SOA ns1 host 2026112401 3600 900 1209600 300
             NS ns1
             NS ns2
             MX 10 ns1
ns1          A 192.0.2.53
             AAAA 2001:db8::1
ns2          A 192.0.2.54
alias        CNAME ns1
*.wild       TXT "wild"
a.b.ent      A 192.0.2.3
child        NS ns1.child
             NS ns2
             DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns1.child    A 192.0.2.9
insecure     NS ns1
             NS ns2
sub.insecure A 192.0.2.8
x.only       NS ns1
             NS ns2
_443._tcp    TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
_sip._udp    SRV 1 2 5060 ns1
dn           DNAME tree.example.net.
'''
TIMES = ('-s', '20261101000000', '-e', '20361101000000')


def sign(t, keys, *args, source='zone', output='out', smart=True):
    """(status, output of the program)."""
    return peer.ours('signet-signzone', *(['-S'] if smart else []), '-K', keys, '-d', t.dir, '-o', 'example.', '-f',
                     t.path(output), *args, t.path(source), cwd=t.dir)


def counts(output):
    m = re.search(r'(\d+) made, (\d+) kept, (\d+) dropped', output)
    return tuple(map(int, m.groups())) if m else None


def verifies(t, name='out', *options):
    """Ours, and BIND's."""
    status, output = peer.ours('signet-verifyzone', '-q', t.path(name))
    if status == 0:
        status, output = peer.run('dnssec-verify', '-q', *options, '-o', 'example.', t.path(name))
    return status == 0, output[-400:]


def text(t, name='out'):
    with open(t.path(name)) as f:
        return f.read()


def deterministic(t):
    for algorithm in ('RSASHA256', 'ED25519'):
        keys, _ = peer.generate_keys(t, 'example.', algorithm)
        for chain in ((), ('-3', '-', '-A')):
            sign(t, keys, *TIMES, '-j', '86400', *chain, '-n', '1', output='one')
            sign(t, keys, *TIMES, '-j', '86400', *chain, '-n', '5', output='five')
            t.check(f'{algorithm} {chain}: one thread or five', text(t, 'one') == text(t, 'five'))
    times = set(re.findall(r'RRSIG\t\S+ \d+ \d+ \d+ (\d+)', text(t, 'one')))
    t.check('jitter spreads the ends', len(times) > 100 and max(times) <= '20361101000000'
            and min(times) >= '20361031000000', len(times))


def kept(t, keys):
    status, output = sign(t, keys)
    made, _, _ = counts(output)
    t.check('first time: all are made', status == 0 and made > 800, output)
    status, output = sign(t, keys, source='out', output='again')
    t.check('again: all are kept', counts(output) == (0, made, 0), output)
    t.check('and nothing changes', text(t, 'out') == text(t, 'again'))
    # A text that says the same in its own way is not taken over where that would depend on the directory.
    t.write('elsewhere/rest', ''.join(line + '\n' for line in text(t).splitlines()[:-1]))
    t.write('elsewhere/zone', '$INCLUDE rest\n' + text(t).splitlines()[-1] + '\n')
    status, output = sign(t, keys, source='elsewhere/zone', output='again')
    t.check('again, from a file with $INCLUDE: the text is made anew', text(t, 'out') == text(t, 'again')
            and counts(output) == (0, made, 0), output)
    # Edited by hand: the fingerprint does not fit any more, each signature is looked at.
    changed = text(t).replace('h7.example.\t300\tIN\tA\t192.0.2.7', 'h7.example.\t300\tIN\tA\t192.0.2.8')
    t.write('edited', changed)
    status, output = sign(t, keys, source='edited', output='mended')
    t.check('one record changed: one signature is made', counts(output) == (1, made - 1, 1), output)
    t.check('and it verifies', *verifies(t, 'mended'))
    t.write('edited', changed + 'new.example. 300 IN A 192.0.2.9\n')
    status, output = sign(t, keys, source='edited', output='mended')
    t.check('a name is added: it, its NSEC and the one before', counts(output)[0] == 4, output)
    t.check('and it verifies', *verifies(t, 'mended'))
    t.write('edited', re.sub(r'(?m)^h9\.example\..*\n', '', text(t)))
    sign(t, keys, source='edited', output='mended')
    t.check('a name is taken out', *verifies(t, 'mended'))
    status, output = sign(t, keys, '-i', '40d', source='out', output='again')
    t.check('due ones are made anew', counts(output) == (made, 0, made), output)


def chains(t, keys):
    sign(t, keys)
    for options, kind in ((('-3', '-'), 'NSEC3'), (('-3', 'aabb', '-A'), 'opt-out'), ((), 'NSEC')):
        status, output = sign(t, keys, '-u', *options, source='out', output='switched')
        good, said = verifies(t, 'switched')
        now = text(t, 'switched')
        t.check(f'switched to {kind}', status == 0 and good and ('\tNSEC3\t' in now) == bool(options)
                and ('\tNSEC\t' in now) != bool(options), output + said)
        os.replace(t.path('switched'), t.path('out'))
    sign(t, keys, '-u', '-3', '-', source='out', output='n3')
    status, output = sign(t, keys, source='n3', output='kept')
    t.check('without -u the chain stays', status == 0 and '\tNSEC3\t' in text(t, 'kept') and counts(output)[0] == 0, output)
    status, output = sign(t, keys, '-3', 'cc', source='n3', output='kept')
    t.check('and -3 says so', status == 0 and 'use -u' in output, output)
    status, output = sign(t, keys, '-3', '-', '-H', '5')
    t.check('iterations are warned about', status == 0 and 'RFC 9276' in output, output)
    status, output = sign(t, keys, '-3', '-', '-H', '51')
    t.check('too many are refused', status == 1 and '51' in output and 'RFC 9276' in output, output)


def serials(t, keys):
    def serial(name='out'):
        return int(re.search(r'SOA\t\S+ \S+ (\d+)', text(t, name))[1])

    sign(t, keys, '-N', 'keep')
    t.check('serial: keep', serial() == 2026112401)
    sign(t, keys, '-N', 'increment')
    t.check('serial: increment', serial() == 2026112402)
    sign(t, keys, '-N', 'unixtime')
    t.check('serial: unixtime never goes back', serial() == 2026112402, serial())
    sign(t, keys, '-N', 'date')
    t.check('serial: date', serial() >= 2026112402, serial())
    sign(t, keys, '-N', 'increment', '-Z', 'sha384', '-Z', 'sha512')
    t.check('ZONEMD: both digests', text(t).count('\tZONEMD\t') == 2)
    t.check('ZONEMD verifies', *verifies(t))


def delegations(t, keys):
    child_keys, _ = peer.generate_keys(t, 'child.example.')
    t.write('child', '$TTL 300\n@ SOA ns1.example. host 1 2 3 4 5\n NS ns1.example.\n')
    peer.sign(t, 'child.example.', t.path('child'), child_keys)
    t.check('the child writes its dsset', os.path.exists(t.path('dsset-child.example.')))
    status, output = sign(t, keys, '-g')
    t.check('-g takes it up', status == 0 and re.search(r'(?m)^child\.example\.\t\d+\tIN\tDS\t', text(t)), output)
    t.check('and it verifies', *verifies(t))
    ds = peer.must('dnssec-dsfromkey', '-2', '-f', t.path('out'), 'example.', cwd=t.dir).split()
    ours = text(t, 'dsset-example.').split()
    t.check('our dsset is that of dnssec-dsfromkey', ds[-1] in ours, (ds, ours))


def roles(t):
    keymgr = os.path.join(peer.BIN, 'signet-keymgr')
    csk = t.path('csk')
    os.makedirs(csk)
    peer.must(keymgr, 'generate', '-K', csk, '-f', 'CSK', 'example.')
    status, output = sign(t, csk)
    t.check('one CSK signs everything', status == 0, output)
    t.check('and it verifies', *verifies(t, 'out', '-z'))  # BIND wants to be told that roles do not matter
    both = t.path('both')
    os.makedirs(both)
    for algorithm in ('ECDSAP256SHA256', 'ED25519'):
        peer.must(keymgr, 'generate', '-K', both, '-a', algorithm, '-f', 'KSK', 'example.')
        peer.must(keymgr, 'generate', '-K', both, '-a', algorithm, 'example.')
    sign(t, both)
    t.check('two algorithms sign everything', *verifies(t))
    sign(t, both, '-z')
    t.check('-z: all keys sign all sets', *verifies(t))
    revoked = peer.must(keymgr, 'generate', '-K', both, '-f', 'KSK', 'example.').strip()
    # REVOKE adds 128 to the tag (RFC 5011 section 3); a key that has this name must survive.
    tag = int(revoked[-5:])
    taken = revoked[:-5] + f'{(tag + 128 + (tag + 128 > 65535)) % 65536:05}.private'
    t.write(f'both/{taken}', 'another key')
    status, output = peer.ours('signet-keymgr', 'revoke', '-K', both, revoked)
    t.check('revoke overwrites no other key', status == 1 and 'not overwritten' in output
            and text(t, f'both/{taken}') == 'another key', output)
    os.unlink(os.path.join(both, taken))
    peer.must(keymgr, 'revoke', '-K', both, revoked)
    sign(t, both)
    t.check('a revoked key signs the DNSKEY set', '385 3 13' in text(t) and verifies(t)[0], verifies(t)[1])


def validns(t):
    """validns 0.8 knows RSA only (it cannot build P-256 keys, whoever made the zone, and has not heard of
    Ed25519), neither CAA nor ZONEMD, and its policy is two NS records for each delegation."""
    t.write('for-validns', FOR_VALIDNS)

    def judge(name):
        return peer.run('validns', '-p', 'all', '-z', 'example.', t.path(name))

    for algorithm in ('RSASHA256', 'RSASHA512'):
        keys, _ = peer.generate_keys(t, 'example.', algorithm)
        for chain in ((), ('-3', '-'), ('-3', 'aabb', '-H', '3'), ('-3', '-', '-A')):
            sign(t, keys, *chain, source='for-validns', output='rsa')
            status, output = judge('rsa')
            t.check(f'validns accepts {algorithm} {chain}', status == 0 and not output, output[-400:])
    t.write('tampered', text(t, 'rsa').replace('192.0.2.3', '192.0.2.4'))
    status, output = judge('tampered')
    t.check('validns sees a changed record', status == 1 and 'a.b.ent.example. RRSIG(A):' in output, output[-400:])
    keys, _ = peer.generate_keys(t, 'example.')
    sign(t, keys, source='for-validns', output='ours')
    peer.must('dnssec-signzone', '-q', '-P', '-S', '-K', keys, '-o', 'example.', '-f', t.path('theirs'),
              t.path('for-validns'), cwd=t.dir)
    for name in ('ours', 'theirs'):
        status, output = judge(name)
        t.check(f'validns still lacks P-256 ({name})', status == 1 and 'error building pkey' in output, output[-400:])


def refusals(t, keys):
    empty = t.path('empty')
    os.makedirs(empty)
    before = text(t)
    for name, args, expected in (
            ('no keys', (empty,), 'no keys of example.'),
            ('no such directory', (t.path('nowhere'),), 'cannot open the key directory')):
        status, output = sign(t, *args)
        t.check(name, status == 1 and expected in output, output)
    status, output = sign(t, keys, 'no-such-key', smart=False)
    t.check('a zone file in the place of a key', status == 1, output)
    t.write('broken', ZONE + 'bad A 300.1.2.3\n')
    status, output = sign(t, keys, source='broken')
    t.check('a broken zone', status == 1 and 'broken:13:7: found "300.1.2.3", expected an IPv4 address' in output, output)
    status, output = sign(t, keys, '-e', '20200101000000')
    t.check('an end in the past', status == 2, output)
    status, output = peer.ours('signet-signzone', '-Q')
    t.check('a wrong option', status == 2, output)
    t.check('the old file is intact all the while', text(t) == before)


def main():
    with peer.Test('sign') as t:
        t.write('zone', ZONE)
        deterministic(t)
        keys, _ = peer.generate_keys(t, 'example.')
        kept(t, keys)
        chains(t, keys)
        serials(t, keys)
        delegations(t, keys)
        roles(t)
        validns(t)
        refusals(t, keys)


main()
