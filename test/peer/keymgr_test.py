#!/usr/bin/env python3
"""signet-keymgr beside the key tools of BIND, ldns, Knot and OpenSSL: whatever one makes or changes, the others use,
for all six algorithms that sign; TSIG keys with named, nsupdate, dig and kdig."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer

# Number: our name and BIND's, ldns', Knot's, options of openssl genpkey.
ALGORITHMS = {
    8: ('RSASHA256', 'RSASHA256', 'rsasha256', ('RSA', '-pkeyopt', 'rsa_keygen_bits:2048')),
    10: ('RSASHA512', 'RSASHA512', 'rsasha512', ('RSA', '-pkeyopt', 'rsa_keygen_bits:2048')),
    13: ('ECDSAP256SHA256', 'ECDSAP256SHA256', 'ecdsap256sha256', ('EC', '-pkeyopt', 'ec_paramgen_curve:P-256')),
    14: ('ECDSAP384SHA384', 'ECDSAP384SHA384', 'ecdsap384sha384', ('EC', '-pkeyopt', 'ec_paramgen_curve:P-384')),
    15: ('ED25519', 'ED25519', 'ed25519', ('ED25519',)),
    16: ('ED448', 'ED448', 'ed448', ('ED448',)),
}
TIMES = ('-P', '20260101000000', '-A', '20260102030405', '-R', '20360101000000', '-I', '20370101000000', '-D',
         '20380101000000', '-P', 'sync', '20260201000000', '-D', 'sync', '20370201000000')
ZONE = '''$TTL 300
@     SOA ns1 host 1 3600 900 1209600 300
      NS ns1
ns1   A 192.0.2.53
*.w   TXT "wild"
a.b   A 192.0.2.1
child NS ns1.child
ns1.child A 192.0.2.2
'''


def keymgr(t, *args, good=True):
    status, output = peer.ours('signet-keymgr', *args)
    if good:
        t.check(f'keymgr {args[0]} goes well', status == 0, f'{args}: {output}')
    return output.strip()


def fields(text):
    """Records without what may differ in spelling: TTL, case and spaces."""
    found = []
    for line in text.splitlines():
        m = re.match(r'(\S+)\s+(?:\d+\s+)?IN\s+(\S+)\s+(.*)', line.split(';')[0])
        if m:
            head = m[3].split()[:3]
            rest = ''.join(m[3].split()[3:])
            found.append((m[1].lower(), m[2], *head, rest.upper() if m[2].endswith('DS') else rest))
    return sorted(found)


def record(path):
    with open(path + '.key') as f:
        return fields(f.read())


def pair(t, directory, algorithm, *more):
    """A KSK and a ZSK of ours; their paths."""
    os.makedirs(directory, exist_ok=True)
    return [os.path.join(directory, keymgr(t, 'generate', '-K', directory, '-a', str(algorithm), *role, *more, 'example.'))
            for role in (('-f', 'KSK'), ())]


def verifies(t, what, path):
    """All three verifiers; ldns' has a timeout as it may loop."""
    for args in ((os.path.join(peer.BIN, 'signet-verifyzone'), '-q', path), ('ldns-verify-zone', path),
                 ('dnssec-verify', '-q', '-o', 'example.', path)):
        status, output = peer.run(*args)
        t.check(f'{what}: {os.path.basename(args[0])}', status == 0, output[-500:])


def times(t, number, name):
    """What we say of times is what BIND's tool says, in its words; each reads what the other wrote."""
    d = t.path(f'times{number}')
    ksk, _ = pair(t, d, number)
    keymgr(t, 'settime', *TIMES, ksk)
    t.check(f'{name}: settime -p is dnssec-settime -p all', keymgr(t, 'settime', '-p', ksk)
            == peer.must('dnssec-settime', '-p', 'all', ksk).strip(), peer.must('dnssec-settime', '-p', 'all', ksk))
    peer.must('dnssec-settime', '-I', '20350101000000', '-D', 'none', '-L', '77', ksk)
    said = keymgr(t, 'settime', '-p', ksk)
    t.check(f'{name}: what dnssec-settime changed', '2035' in said and 'Delete: UNSET' in said, said)
    keymgr(t, 'settime', '-A', 'none', ksk)
    said = peer.must('dnssec-settime', '-p', 'all', ksk)
    with open(ksk + '.key') as f:
        t.check(f'{name}: and back, with its TTL', 'Activate: UNSET' in said and 'example. 77 IN DNSKEY' in f.read(), said)


def ds(t, number, name):
    ksk, _ = pair(t, t.path(f'ds{number}'), number)
    for ours, bind, ldns in ('256', 'SHA-256', '-2'), ('384', 'SHA-384', '-4'):
        said = fields(keymgr(t, 'ds', '-2', ours, ksk))
        t.check(f'{name}: DS {bind} as BIND', said == fields(peer.must('dnssec-dsfromkey', '-a', bind, ksk)), said)
        t.check(f'{name}: DS {bind} as ldns', said == fields(peer.must('ldns-key2ds', '-n', ldns, ksk + '.key')), said)
    said = fields(keymgr(t, 'cds', ksk))
    theirs = fields(peer.must('dnssec-dsfromkey', '-C', '-a', 'SHA-256', ksk))
    cdnskey = [(r[0], 'CDNSKEY', *r[2:]) for r in record(ksk)]
    t.check(f'{name}: CDS and CDNSKEY', said == sorted(theirs + cdnskey), said)


def ours_used_by_them(t, number, name, knot):
    d = t.path(f'ours{number}')
    ksk, zsk = pair(t, d, number)
    zone = t.write(f'ours{number}/zone', ZONE)
    status, output = peer.run('dnssec-signzone', '-S', '-K', d, '-d', d, '-o', 'example.', '-f', f'{d}/bind', zone)
    if t.check(f'{name}: dnssec-signzone uses our keys', status == 0, output):
        verifies(t, f'{name}, signed by BIND', f'{d}/bind')
    status, output = peer.run('ldns-signzone', '-o', 'example.', '-f', f'{d}/ldns', zone, zsk, ksk)
    if t.check(f'{name}: ldns-signzone uses our keys', status == 0, output):
        verifies(t, f'{name}, signed by ldns', f'{d}/ldns')
    status, output = peer.run('keymgr', '-D', f'{d}/kasp', 'example.', 'import-bind', ksk + '.key')
    t.check(f'{name}: Knot imports our key', status == 0, output)
    output = peer.must('keymgr', '-D', f'{d}/kasp', 'example.', 'ds')
    t.check(f'{name}: Knot makes the same DS',
            fields(keymgr(t, 'ds', '-2', '256', ksk))[0][2:] in [tuple(r) for r in knot_ds(output)], output)


def knot_ds(text):
    """keymgr of Knot prints no class."""
    return [(*line.split()[2:5], ''.join(line.split()[5:]).upper()) for line in text.splitlines()]


def theirs_used_by_us(t, number, name, ldns, knot):
    # BIND's
    d = t.path(f'bind{number}')
    os.makedirs(d)
    size = ('-b', '2048') if name.startswith('RSA') else ()
    ksk = peer.must('dnssec-keygen', '-q', '-K', d, '-a', name, *size, '-f', 'KSK', 'example.').strip()
    peer.must('dnssec-keygen', '-q', '-K', d, '-a', name, *size, 'example.')
    zone = t.write(f'bind{number}/zone', ZONE)
    status, output = peer.ours('signet-signzone', '-S', '-K', d, '-d', d, '-o', 'example.', '-f', f'{d}/signed', zone)
    if t.check(f'{name}: signed with keys of dnssec-keygen', status == 0, output):
        verifies(t, f'{name}, signed with keys of dnssec-keygen', f'{d}/signed')
    t.check(f'{name}: list knows both', len(keymgr(t, 'list', '-K', d, 'example.').splitlines()) == 2)
    taken = t.path(f'taken{number}')
    os.makedirs(taken)
    keymgr(t, 'import', '-K', taken, os.path.join(d, ksk))
    t.check(f'{name}: import takes over a key of BIND', record(os.path.join(taken, ksk)) == record(os.path.join(d, ksk)))
    # ldns'
    d = t.path(f'ldns{number}')
    os.makedirs(d)
    for role in ('-k',), ():
        peer.must('ldns-keygen', '-a', ldns, *size, *role, 'example.', cwd=d)
    zone = t.write(f'ldns{number}/zone', ZONE)
    names = [os.path.join(d, f[:-4]) for f in os.listdir(d) if f.endswith('.key')]
    status, output = peer.ours('signet-signzone', '-d', d, '-o', 'example.', '-f', f'{d}/signed', zone, *names)
    if t.check(f'{name}: signed with keys of ldns-keygen', status == 0, output):
        verifies(t, f'{name}, signed with keys of ldns-keygen', f'{d}/signed')
    # Knot's
    d = t.path(f'knot{number}')
    peer.must('keymgr', '-D', d, 'example.', 'generate', f'algorithm={knot}', 'ksk=yes', 'zsk=no')
    pem = [f for f in os.listdir(f'{d}/keys') if f.endswith('.pem')][0]
    key = keymgr(t, 'import', '-K', d, '-a', name, '-f', 'KSK', 'example.', f'{d}/keys/{pem}')
    output = peer.must('keymgr', '-D', d, 'example.', 'ds')
    t.check(f'{name}: import of a PEM of Knot gives the same DS',
            fields(keymgr(t, 'ds', '-K', d, key))[0][2:] in knot_ds(output), output)


def pem(t, number, name, options):
    d = t.path(f'pem{number}')
    ksk, _ = pair(t, d, number)
    text = keymgr(t, 'export', ksk) + '\n'
    path = t.write(f'pem{number}/ours.pem', text)
    status, output = peer.run('openssl', 'pkey', '-in', path, '-noout', '-check')
    t.check(f'{name}: OpenSSL finds our PEM right', status == 0, output)
    other = t.path(f'pem{number}', 'other')
    os.makedirs(other)
    key = keymgr(t, 'import', '-K', other, '-a', name, '-f', 'KSK', 'example.', path)
    t.check(f'{name}: export and import give the same key', record(os.path.join(other, key)) == record(ksk))
    path = t.path(f'pem{number}', 'theirs.pem')
    peer.must('openssl', 'genpkey', '-algorithm', *options, '-out', path)
    key = keymgr(t, 'import', '-K', other, '-a', name, 'example.', path)
    zone = t.write(f'pem{number}/zone', ZONE)
    status, output = peer.run('dnssec-signzone', '-S', '-z', '-K', other, '-d', d, '-o', 'example.', '-f', f'{d}/signed', zone)
    if t.check(f'{name}: BIND signs with a key of OpenSSL that we imported', status == 0, output):
        verifies(t, f'{name}, a key of OpenSSL', f'{d}/signed')


def revoke(t, number, name):
    d, other = t.path(f'revoke{number}'), t.path(f'revoke{number}', 'bind')
    ksk, _ = pair(t, d, number)
    os.makedirs(other)
    for suffix in '.key', '.private':
        shutil.copy(ksk + suffix, other)
    ours = os.path.join(d, keymgr(t, 'revoke', ksk))
    theirs = peer.must('dnssec-revoke', '-K', other, os.path.join(other, os.path.basename(ksk))).strip()
    t.check(f'{name}: revoke makes what dnssec-revoke makes', os.path.basename(ours) == os.path.basename(theirs)
            and record(ours) == record(os.path.join(other, os.path.basename(theirs))), f'{ours} {theirs}')
    said = peer.must('dnssec-settime', '-p', 'R', ours)
    t.check(f'{name}: with the time of it', 'UNSET' not in said, said)


def tsig(t):
    hashes = ('hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha224', 'hmac-sha1', 'hmac-md5')
    keys = {h: t.path(f'{h}.key') for h in hashes}
    for h, path in keys.items():
        keymgr(t, 'tsig', '-a', h, '-o', path, f'{h}.test.')
        t.check(f'{h}: for its owner only', os.stat(path).st_mode & 0o777 == 0o600)
    t.write('dyn.zone', ZONE)
    port = peer.free_port()
    config = t.write('tsig.conf', ''.join(f'include "{path}";\n' for path in keys.values()) + f'''
options {{ directory "{t.dir}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no; session-keyfile none; empty-zones-enable no; }};
controls {{ }};
zone "example." {{ type primary; file "{t.path('dyn.zone')}";
  allow-transfer {{ {' '.join(f'key "{h}.test.";' for h in hashes)} }};
  allow-update {{ {' '.join(f'key "{h}.test.";' for h in hashes)} }}; }};
''')
    named = peer.Daemon(t, ['named', '-g', '-n', '1', '-c', config], port, t.path('tsig.log'))
    peer.wait_for(named.is_up, 'answer from named')
    for h, path in keys.items():
        update = f'server 127.0.0.1 {port}\nzone example.\nupdate add {h}.example. 60 A 192.0.2.9\nsend\n'
        status, output = peer.run('nsupdate', '-k', path, stdin=update.encode())
        t.check(f'{h}: nsupdate -k', status == 0, output)
        with open(path) as f:
            secret = re.search(r'secret "(.*)"', f.read())[1]
        # Knot's tools have a file format of their own.
        for client, *option in ('dig', '-k', path), ('kdig', '-y', f'{h}:{h}.test.:{secret}'):
            status, output = peer.run(client, '-p', str(port), '@127.0.0.1', *option, 'example.', 'AXFR')
            t.check(f'{h}: {client} {option[0]}', status == 0 and f'{h}.example.' in output
                    and 'failed' not in output.lower(), output)
    other = t.path('other.key')
    keymgr(t, 'tsig', '-o', other, 'hmac-sha256.test.')
    status, output = peer.run('dig', '-p', str(port), '@127.0.0.1', '-k', other, 'example.', 'AXFR')
    t.check('another secret of that name is refused', 'ns1.example.' not in output, output)


def main():
    with peer.Test('keymgr') as t:
        for number, (name, ldns, knot, openssl) in ALGORITHMS.items():
            times(t, number, name)
            ds(t, number, name)
            ours_used_by_them(t, number, name, knot)
            theirs_used_by_us(t, number, name, ldns, knot)
            pem(t, number, name, openssl)
            revoke(t, number, name)
        tsig(t)


main()
