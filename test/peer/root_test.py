#!/usr/bin/env python3
"""The real root zone, stripped of DNSSEC records, signed with our own keys, served by signetd: a thousand
of its names validate through Unbound. And our canonical dump of it equals that of ldns-read-zone."""
import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.flags
import dns.rcode
import peer

ROOT = os.path.join(peer.DATA, 'root-2020101902.zone')
QUESTIONS = 1000


def same_record(line):
    """ldns writes comments, lower-case digests and white space of its own."""
    line = re.sub(r'\s*;.*$', '', line).rstrip()
    fields = line.split('\t')
    if len(fields) > 3 and fields[3] == 'DS':
        head, digest = fields[4].rsplit(' ', 1)
        fields[4] = f'{head} {digest.upper()}'
    return '\t'.join(fields)


def dump_equals(t):
    status, ours = peer.ours('signet-checkzone', '-q', '--dump', '--canonical', '-c', 'signature-expired=ignore', ROOT)
    theirs = peer.must('ldns-read-zone', '-c', ROOT)
    a = ours.splitlines()
    b = [same_record(line) for line in theirs.splitlines() if line]
    t.check('canonical dump has all records', status == 0 and len(a) == len(b) == 21591, f'{len(a)} {len(b)}')
    different = [(x, y) for x, y in zip(a, b) if same_record(x) != y]
    t.check('canonical dump equals that of ldns-read-zone', not different, different[:2])


def stripped():
    kept = []
    for line in open(ROOT):
        fields = line.split()
        if len(fields) > 3 and fields[3] not in ('RRSIG', 'NSEC', 'DNSKEY'):
            kept.append(line)
    return ''.join(kept)


def names():
    tlds = sorted({line.split()[0] for line in open(ROOT) if line.split()[3:4] == ['NS']} - {'.'})
    r = random.Random(1)
    chosen = [(n, 'DS') for n in r.sample(tlds, QUESTIONS * 8 // 10)]
    chosen += [(''.join(r.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(12)) + '.', 'A')
               for _ in range(QUESTIONS - len(chosen))]
    return chosen, set(tlds)


def main():
    with peer.Test('root') as t:
        dump_equals(t)
        keys, ds = peer.generate_keys(t, '.')
        zone = t.write('root.zone', stripped())
        for chain, options in (('nsec', ()), ('nsec3', ('-3', '-'))):
            signed = peer.sign(t, '.', zone, keys, *options, output=t.path(f'root.{chain}'))
            server = peer.signetd(t, {'.': signed})
            resolver = peer.unbound(t, {'.': server.port}, [ds])
            chosen, tlds = names()
            bad = []
            for name, rdtype in chosen:
                r = resolver.ask(name, rdtype)
                expected = dns.rcode.NOERROR if name in tlds else dns.rcode.NXDOMAIN
                if r.rcode() != expected or not r.flags & dns.flags.AD:
                    bad.append((name, rdtype, dns.rcode.to_text(r.rcode())))
            t.check(f'{chain}: {len(chosen)} names validate', not bad, f'{len(bad)}: {bad[:5]}')
            resolver.stop()
            t.check(f'{chain}: signetd ends well', server.stop() == 0)


main()
