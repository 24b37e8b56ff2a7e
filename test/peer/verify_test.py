#!/usr/bin/env python3
"""signet-verifyzone beside ldns-verify-zone, dnssec-verify and kzonecheck, on good and on broken zones.

Good zones come from every signer we know, with each algorithm and each kind of chain: all verifiers
must accept them. The broken ones, and those that are odd but good, are in broken_zones.py, where each
row says who comes to which verdict; so this test also tells when a peer changes its mind.
"""
import concurrent.futures
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import broken_zones
import signed_zone

BIN = os.environ.get('BIN', 'build/release/bin')
ROOT_ZONE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../data/root-2020101902.zone')
ZONE = 'example.'
ALGORITHMS = ('RSASHA256', 'RSASHA512', 'ECDSAP256SHA256', 'ECDSAP384SHA384', 'ED25519', 'ED448')
# Signatures of these are checked, but nobody should make them any more (RFC 9905).
OLD_ALGORITHMS = (('RSASHA1', 'nsec'), ('NSEC3RSASHA1', 'nsec3'))
CHAINS = ('nsec', 'nsec3', 'optout')
DIGESTS = ('ldns', 'signet')  # signers that make ZONEMD
PEERS = {
    'ldns': lambda path: ['ldns-verify-zone', path],
    'bind': lambda path: ['dnssec-verify', '-q', '-o', ZONE, path],
    'knot': lambda path: ['kzonecheck', '-o', ZONE, '-d', 'on', path],
}


def ask(args):
    """Returns (accepted, what was said)."""
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120)
    if done.returncode < 0:
        return False, 'died of signal %d' % -done.returncode
    return done.returncode == 0, done.stdout.strip()


@functools.lru_cache(maxsize=None)
def is_older(peer, version):
    """Is the installed dnssec-verify older than this Debian version?"""
    assert peer == 'bind'
    found = re.search(r'dnssec-verify (\S+?)(?:-Debian)?$', ask(['dnssec-verify', '-V'])[1])
    return subprocess.run(['dpkg', '--compare-versions', found[1], 'lt', version]).returncode == 0


def differs(row, peer):
    """Does the row expect another verdict than ours from this peer, as it is installed?"""
    for word in row['differ']:
        name, _, version = word.partition('<')
        if name == peer and (not version or is_older(peer, version)):
            return True
    return False


def signet(path, *options):
    return ask([os.path.join(BIN, 'signet-verifyzone'), *options, path])


class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, faults):
        """@faults: what is wrong, as a list of texts."""
        if faults:
            self.failed += 1
            print('%s: %s' % (name, '; '.join(faults)))
        else:
            self.passed += 1


# --- good zones from all signers ---------------------------------------------------------------

def sign_with_bind(directory, keys, algorithm, chain):
    options = {'nsec': [], 'nsec3': ['-3', '-'], 'optout': ['-3', '-', '-A']}[chain]
    signed_zone.run('dnssec-signzone', '-q', '-P', '-S', '-K', '.', '-o', ZONE, '-f', 'out', *options,
                    'plain', cwd=directory)


def sign_with_ldns(directory, keys, algorithm, chain):
    options = {'nsec': [], 'nsec3': ['-n', '-t', '0'], 'optout': ['-n', '-t', '0', '-p'],
               'zonemd': ['-z', '1:1', '-z', '1:2']}[chain]
    signed_zone.run('ldns-signzone', '-o', ZONE, '-f', 'out', *options, 'plain',
                    *map(os.path.basename, keys), cwd=directory)


def sign_with_knot(directory, keys, algorithm, chain):
    nsec3 = 'off' if chain == 'nsec' else 'on'
    opt_out = 'on' if chain == 'optout' else 'off'
    with open(os.path.join(directory, 'knot.conf'), 'w') as f:
        f.write('database:\n    storage: .\n'
                'policy:\n  - id: p\n    algorithm: %s\n    nsec3: %s\n    nsec3-opt-out: %s\n'
                '    nsec3-iterations: 0\n    nsec3-salt-length: 0\n'
                'zone:\n  - domain: %s\n    storage: .\n    file: plain\n    dnssec-signing: on\n'
                '    dnssec-policy: p\n'
                % (algorithm.lower(), nsec3, opt_out, ZONE))
    os.mkdir(os.path.join(directory, 'knot'))
    signed_zone.run('kzonesign', '-c', 'knot.conf', '-o', 'knot', ZONE, cwd=directory)
    os.rename(os.path.join(directory, 'knot', 'plain'), os.path.join(directory, 'out'))


def sign_with_signet(directory, keys, algorithm, chain):
    options = {'nsec': [], 'nsec3': ['-3', '-'], 'optout': ['-3', '-', '-A'],
               'zonemd': ['-Z', 'sha384', '-Z', 'sha512']}[chain]
    signed_zone.run(os.path.join(os.path.abspath(BIN), 'signet-signzone'), '-S', '-K', '.', '-o', ZONE,
                    '-f', 'out', *options, 'plain', cwd=directory)


SIGNERS = {'bind': sign_with_bind, 'ldns': sign_with_ldns, 'knot': sign_with_knot,
           'signet': sign_with_signet}

def check_good(directory, signer, algorithm, chain, keys):
    """Signs in a directory of its own, and asks everybody."""
    place = tempfile.mkdtemp(dir=directory)
    for path in keys:
        for end in ('.key', '.private'):
            shutil.copy(path + end, place)
    with open(os.path.join(place, 'plain'), 'w') as f:
        f.write(broken_zones.EXAMPLE)
    try:
        SIGNERS[signer](place, keys, algorithm, chain)
    except (RuntimeError, OSError) as e:
        return ['cannot sign: %s' % e]
    path = os.path.join(place, 'out')
    faults = []
    accepted, said = signet(path, '-o', ZONE, '-v')
    digests = 'digests verified %d' % (2 if chain == 'zonemd' else 0)
    if not accepted or '0 warnings' not in said or digests not in said:
        faults.append('signet-verifyzone says: %s' % said)
    for peer, command in PEERS.items():
        accepted, said = ask(command(path))
        if not accepted:
            faults.append('%s says: %s' % (peer, said))
    return faults


def good_zones(directory, pool, count):
    keys = {a: [signed_zone.keygen(directory, ZONE, a, ksk) for ksk in (True, False)]
            for a in ALGORITHMS + tuple(a for a, _ in OLD_ALGORITHMS)}
    rows = [(s, a, c) for s in SIGNERS for a in ALGORITHMS for c in CHAINS]
    rows += [('bind', a, c) for a, c in OLD_ALGORITHMS]
    rows += [(s, 'ECDSAP256SHA256', 'zonemd') for s in DIGESTS]
    results = pool.map(lambda r: check_good(directory, *r, keys[r[1]]), rows)
    for row, faults in zip(rows, results):
        count.check('signed by %s, %s, %s' % row, faults)


# --- broken and odd zones ----------------------------------------------------------------------

def base_zones(directory):
    """A good zone of each kind, which the rows change."""
    now = int(time.time())
    keys = {name: signed_zone.Key(signed_zone.keygen(directory, ZONE, algorithm, ksk))
            for name, algorithm, ksk in (('ksk', 'ECDSAP256SHA256', True),
                                         ('zsk', 'ECDSAP256SHA256', False),
                                         ('other', 'ECDSAP256SHA256', False),
                                         ('otherksk', 'ECDSAP256SHA256', True),
                                         ('ed', 'ED25519', True))}

    def make(options, text=broken_zones.EXAMPLE):
        return signed_zone.Zone.sign_text(directory, ZONE, text, keys, now, options)

    digest = '%s 3600 IN ZONEMD 2020 1 1 %s\n' % (ZONE, '00' * 48)
    bases = {'nsec': make([]), 'nsec3': make(['-3', '-']), 'optout': make(['-3', '-', '-A']),
             'zonemd': make([], broken_zones.EXAMPLE + digest),
             'salted': make(['-3', 'ABCD', '-H', '1']), 'iterated': make(['-3', '-', '-H', '51'])}
    bases['zonemd'].set_zonemd()
    for base in bases.values():
        base.bases = bases
    return bases


def check_row(directory, bases, row):
    zone = bases[row['chain']].copy()
    row['change'](zone)
    path = os.path.join(directory, row['change'].__name__ + '.zone')
    with open(path, 'w') as f:
        f.write(zone.text())
    faults = []
    accepted, said = signet(path, '-o', ZONE)
    if accepted != row['good']:
        faults.append('signet-verifyzone says: %s' % said)
    if row['finds'] is not None and '[%s,' % row['finds'] not in said:
        faults.append('no [%s] in: %s' % (row['finds'], said))
    if row['finds'] is None and '0 warnings' not in said:
        faults.append('found something: %s' % said)
    for peer, command in PEERS.items():
        accepted, said = ask(command(path))
        if accepted != (row['good'] != differs(row, peer)):
            faults.append('%s %s it: %s' % (peer, 'accepts' if accepted else 'refuses', said))
    return faults


def changed_zones(directory, pool, count):
    bases = base_zones(directory)
    rows = broken_zones.ROWS
    results = pool.map(lambda row: check_row(directory, bases, row), rows)
    for row, faults in zip(rows, results):
        count.check(row['change'].__name__, faults)


def enough_kinds(count):
    """Thirty kinds of broken zone are asked for."""
    bad = [r for r in broken_zones.ROWS if not r['good']]
    names = set(r['change'].__name__ for r in broken_zones.ROWS)
    count.check('enough kinds', ['only %d' % len(bad)] if len(bad) < 30 else [])
    count.check('names are distinct', [] if len(names) == len(broken_zones.ROWS) else ['not all'])


# --- the program -------------------------------------------------------------------------------

def run_program(directory, *args):
    """Returns (exit status, what was said)."""
    done = subprocess.run([os.path.join(os.path.abspath(BIN), 'signet-verifyzone'), *args],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=directory)
    return done.returncode, done.stdout


def program(directory, count):
    """Exit status and options."""
    place = tempfile.mkdtemp(dir=directory)
    keys = [signed_zone.keygen(place, ZONE, 'ECDSAP256SHA256', ksk) for ksk in (True, False)]
    with open(os.path.join(place, 'plain'), 'w') as f:
        f.write(broken_zones.EXAMPLE)
    sign_with_bind(place, keys, 'ECDSAP256SHA256', 'nsec')
    for name, text in (('ds', open(os.path.join(place, 'dsset-' + ZONE)).read()),
                       ('otherds', '%s DS 1 13 2 %s\n' % (ZONE, '00' * 32)),
                       ('nods', 'www.%s 60 A 192.0.2.1\n' % ZONE),
                       ('broken', '%s 60 IN SOA\n' % ZONE), ('empty', '')):
        with open(os.path.join(place, name), 'w') as f:
            f.write(text)
    for args, status, said in (
            (['out'], 0, 'out: zone example. serial 2020: verified and complete: 25 signatures'),
            (['-q', 'out'], 0, ''),
            (['-n', '1', 'out'], 0, '25 signatures'),
            (['-t', 'now+100d', 'out'], 1, 'BAD: 26 errors'),
            (['-q', '-t', 'now+100d', 'out'], 1, 'BAD'),
            (['-v', 'out'], 0, 'NSEC records 11'),
            (['-a', 'ds', 'out'], 0, 'verified'),
            (['-a', os.path.basename(keys[0]) + '.key', 'out'], 0, 'verified'),
            (['-a', 'otherds', 'out'], 1, '[trust-anchor,'),
            (['-a', 'nods', 'out'], 1, 'no DS or DNSKEY record'),
            (['-a', 'missing', 'out'], 1, 'missing'),
            (['plain'], 1, '[no-dnskey,'),
            (['-o', 'other.', 'out'], 1, 'out'),
            (['broken'], 1, 'broken:1'),
            (['empty'], 1, 'empty'),
            (['missing'], 1, 'missing'),
            ([], 2, 'no zone file'),
            (['out', 'out'], 2, 'one zone file'),
            (['-t', 'yesterday', 'out'], 2, '"yesterday" is no time'),
            (['-n', 'many', 'out'], 2, '"many" is no number'),
            (['-o', '..', 'out'], 2, '".." is no domain name'),
            (['--what'], 2, '--help'),
            (['--help'], 0, 'usage:'),
            (['--version'], 0, 'signet-verifyzone (Signet)'),
            (['--list-findings'], 0, 'nsec3-opt-out')):
        got, text = run_program(place, *args)
        faults = [] if got == status and (said in text if said else text == '') else [
            'status %d: %s' % (got, text)]
        count.check('signet-verifyzone ' + ' '.join(args), faults)


# --- the real root -----------------------------------------------------------------------------

def root_zone(count):
    accepted, said = signet(ROOT_ZONE, '-t', '20201020000000')
    count.check('the root zone in its time',
                [] if accepted and 'verified and complete' in said and '0 warnings' in said else [said])
    accepted, said = ask(['ldns-verify-zone', '-t', '20201020000000', ROOT_ZONE])
    count.check('ldns says so too', [] if accepted and 'verified and complete' in said else [said])
    accepted, said = signet(ROOT_ZONE, '-t', '20210101000000')
    count.check('the root zone later', [] if not accepted and '[expired,' in said else [said])


def main():
    count = Count()
    with tempfile.TemporaryDirectory(prefix='signet-verify-') as directory, \
            concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        root_zone(count)
        enough_kinds(count)
        program(directory, count)
        changed_zones(directory, pool, count)
        good_zones(directory, pool, count)
    print('peer verify: %d passed, %d failed' % (count.passed, count.failed))
    return 1 if count.failed else 0


if __name__ == '__main__':
    sys.exit(main())
