"""Zones and lists of questions for `test/bench/query`, made when asked for the first time."""
import os
import random
import sys

from bench import NAMES, make_keys, make_zone, sign
from gen_zone import label

# name: (names, options of gen_zone.py, options of signet-signzone or None)
ZONES = {
    'plain': (NAMES, ('--hosts',), None),
    'nsec': (NAMES // 5, ('--hosts',), ()),
    'nsec3': (NAMES // 5, ('--hosts',), ('-3', '-')),
    'optout': (NAMES, (), ('-3', '-', '-A')),
}
# name: (what it says, [(zone, existing or missing names)], DO, least share of the echo, most user CPU in µs)
MIXES = {
    'plain': ('existing, unsigned', [('plain', 'have')], False, 0.82, 0.7),
    'plain-nx': ('NXDOMAIN, unsigned', [('plain', 'miss')], False, 0.82, 0.7),
    'do': ('existing, DO', [('nsec', 'have')], True, 0.82, 0.7),
    'nsec-nx': ('NXDOMAIN, NSEC, DO', [('nsec', 'miss')], True, 0.82, 0.7),
    'nsec3-nx': ('NXDOMAIN, NSEC3, DO', [('nsec3', 'miss')], True, 0.75, 1.3),
    'referral': ('referral, opt-out, DO', [('optout', 'have')], True, 0.82, 0.7),
    'optout-nx': ('NXDOMAIN, opt-out, DO', [('optout', 'miss')], True, 0.75, 1.3),
    'referral-plain': ('referral, no DO', [('optout', 'have')], False, 0.82, 0.7),
    'mixed': ('of all signed ones, DO',
              [('nsec', 'have'), ('nsec', 'miss'), ('nsec3', 'have'), ('nsec3', 'miss'), ('optout', 'have'),
               ('optout', 'miss')], True, 0.75, 1.3),
}
ASKED = ('A', 'AAAA', 'MX', 'TXT')


class Workshop:
    """The directory with zones and lists of queries, made when asked for the first time."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)

    def made(self, name, make):
        """The path of a file; make(path) is called if it is not there yet."""
        path = os.path.join(self.path, name)
        if not os.path.exists(path):
            print(f'making {name}', file=sys.stderr, flush=True)
            make(path + '.new')
            os.rename(path + '.new', path)
        return path

    def raw(self, name):
        """The unsigned zone."""
        count, options, _ = ZONES[name]
        return self.made(f'{name}-{count}.zone', lambda p: make_zone(p, str(count), '--origin', name, *options))

    def zone(self, name):
        """The file to serve."""
        count, _, signing = ZONES[name]
        raw = self.raw(name)
        if signing is None:
            return raw
        keys = os.path.join(self.path, 'keys')
        if not os.path.isdir(keys) or not any(f.startswith(f'K{name}.') for f in os.listdir(keys)):
            make_keys(keys, name)
        return self.made(f'{name}-{count}.signed', lambda p: sign(raw, name, keys, p, *signing))

    def queries(self, name, which):
        """The list of questions for what a zone has, or for as many names that it has not."""
        return self.made(f'{name}-{ZONES[name][0]}.{which}', lambda p: self.write_queries(p, name, which))

    def write_queries(self, path, name, which):
        r = random.Random(11)
        have = []
        with open(self.raw(name)) as f:
            for line in f:
                fields = line.split('\t')
                if len(fields) > 3 and fields[3] in ASKED:
                    have.append((fields[0], fields[3]))
                elif len(fields) > 3 and (not have or have[-1][0] != fields[0]):
                    have.append((fields[0], 'A'))
        if which == 'miss':
            there = {n for n, _ in have}
            have = [(n, 'A') for n in (label(r) for _ in range(ZONES[name][0])) if n not in there]
        r.shuffle(have)
        with open(path, 'w') as f:
            f.writelines(f'{n}.{name} {t}\n' for n, t in have[:ZONES[name][0]])

    def mix(self, name):
        """The list of questions of a mix."""
        parts = [self.queries(*p) for p in MIXES[name][1]]
        if len(parts) == 1:
            return parts[0]
        return self.made(f'{name}-{NAMES}.mix', lambda p: self.join(p, parts))

    @staticmethod
    def join(path, parts):
        """As much of each."""
        lines = []
        for part in parts:
            with open(part) as f:
                lines.append(f.readlines())
        with open(path, 'w') as f:
            for group in zip(*lines):
                f.writelines(group)
