"""Random dynamic updates of a zone: every form, on few enough names that they meet what others did; and the model of the
zone that they make (model.py)."""
import random
import struct

import dns.name
import dns.rdatatype
import model
import peer
from model import ANY, ANY_TYPE, DNAME, DS, IN, KEY, NONE, NS, RR, SOA, Rdata

RCODES = {0: 'NOERROR', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 5: 'REFUSED', 6: 'YXDOMAIN', 7: 'YXRRSET', 8: 'NXRRSET',
          9: 'NOTAUTH', 10: 'NOTZONE'}
SOA_TEXT = 'ns host {} 7200 3600 {} {}'
FILE = '''$TTL 300
@ SOA ns host 10 7200 3600 86400 300
@ NS ns
@ NS ns.elsewhere.test.
ns A 192.0.2.53
'''
TARGETS = ['ns', 'NS.b', 'ns.a', 'a', 'b.c', 'ns.elsewhere.test.', 'WWW.Elsewhere.test.']
DATA = {
    'A': [f'192.0.2.{i}' for i in range(1, 9)], 'AAAA': [f'2001:db8::{i}' for i in range(1, 5)],
    'TXT': ['one', 'two', '"Three Four"', '""', f'"{"x" * 255}" "{"y" * 255}"'], 'NS': TARGETS, 'CNAME': TARGETS,
    'DNAME': ['tree', 'Tree.elsewhere.test.', 'a'], 'MX': [f'{i} {n}' for i in (5, 10) for n in TARGETS], 'PTR': TARGETS,
    'SRV': [f'1 {i} 5060 {n}' for i in (1, 2) for n in TARGETS[:4]],
    'DS': [f'{tag} 13 2 {tag:064x}' for tag in (1, 2, 3)] + ['4 8 1 ' + '00' * 20],
    'KEY': ['512 3 13 ' + 'A' * 86 + '==', '512 3 15 ' + 'B' * 43 + '='],
    'CAA': ['0 issue "ca.test"', '128 iodef "mailto:A@test"'], 'TLSA': ['3 1 1 ' + 'ab' * 32, '2 0 1 ' + 'cd' * 32],
    'HTTPS': ['1 . alpn=h2', '0 www.elsewhere.test.'], 'HINFO': ['"a" "b"', '"A" "b"'],
    'NAPTR': ['10 20 "u" "E2U+sip" "!x!y!" .', '1 2 "" "" "" Rep.elsewhere.test.'],
    'WKS': ['192.0.2.1 6 25 80', '192.0.2.1 6 25', '192.0.2.1 17 53', '192.0.2.2 6 80'],
    'TYPE65280': ['\\# 3 010203', '\\# 0', '\\# 3 414243']}
# How often; the types that shape a zone more often than there are of them.
WEIGHTS = {'A': 10, 'NS': 8, 'DS': 8, 'CNAME': 5, 'TXT': 5, 'DNAME': 1, 'AAAA': 3, 'MX': 3}
TYPES = list(DATA)
TYPE_WEIGHTS = [WEIGHTS.get(t, 1) for t in TYPES]


class Updates:
    """Makes updates for one zone, sends them, and keeps the model of it.

    Not asked for is KEY at a delegation, which dnssec-verify takes for the parent's."""

    def __init__(self, zone, seed, judges=True, for_peers=False, leap=2 ** 30):
        """@judges: the answers are to have the rcodes that the model gives. @for_peers: nothing that Knot and
        NSD do not take, names below a DNAME and KEY beside CNAME (RFC 4035 §2.5).
        @leap: how far a serial goes at most that a client sets."""
        self.name = zone
        self.origin = dns.name.from_text(zone)
        self.wire = self.origin.to_wire()
        self.chance = random.Random(f'{seed} {zone}')
        self.zone = model.Zone()
        self.judges, self.for_peers, self.leap = judges, for_peers, leap
        self.tried = self.sent = 0  # what was answered is sent
        self.counts = {}
        self.bad = []
        for owner, ttl, rdtype, text in (('', 300, 'SOA', SOA_TEXT.format(10, 86400, 300)), ('', 300, 'NS', 'ns'),
                                         ('', 300, 'NS', 'ns.elsewhere.test.'), ('ns', 300, 'A', '192.0.2.53')):
            self.zone.put(owner, ttl, self.rdata(rdtype, text))

    def rdata(self, rdtype, text):
        return Rdata.of(rdtype, text, self.origin)

    # --- what is asked for ---

    def owner(self):
        """Few enough names that updates meet what others did; deep enough for empty non-terminals."""
        c = self.chance
        if c.random() < 0.04:
            return ''
        labels = [c.choice('abcdefgh')]
        while len(labels) < 5 and c.random() < 0.55:
            labels.insert(0, c.choice('abcd') if c.random() < 0.85 else '*')
        if c.random() < 0.06:
            labels.insert(0, c.choice(('*', 'ns', '_dmarc', 'x-1')))
        return '.'.join(labels)

    def used(self):
        """A name that is there, mostly."""
        names = self.zone.names
        return self.chance.choice(list(names)) if self.chance.random() < 0.8 else self.owner()

    def some_rdata(self):
        rdtype = self.chance.choices(TYPES, TYPE_WEIGHTS)[0]
        return self.rdata(rdtype, self.chance.choice(DATA[rdtype]))

    def ttl(self):
        return self.chance.choices((60, 300, 3600, 0, model.TTL_MAX + 5, model.HELD_MAX, model.HELD_MAX + 1),
                                   (40, 40, 10, 5, 1, 1, 1))[0]

    def soa(self):
        c = self.chance
        low, high = self.zone.serial
        # None between the two: nobody here knows whether it is newer.
        if c.random() < 0.5:
            serial = high + c.choice((1000, 10 ** 6, self.leap))
        else:
            serial = low - c.choice((1, 100, 2 ** 30))
        expire = c.choice((86400, 604800)) if c.random() < 0.98 else model.HELD_MAX + 1
        text = SOA_TEXT.format(serial % 2 ** 32, expire, c.choice((60, 300, 300, 900)))
        return RR('', IN, SOA, c.choice((60, 300, 3600)), self.rdata('SOA', text))

    def some_update(self):
        c = self.chance
        kind = c.choices(('add', 'record', 'set', 'name', 'soa', 'apex', 'delegation', 'bad'),
                         (46, 22, 12, 8, 2, 1.5, 8, 0.7))[0]
        if kind == 'add':
            r = self.some_rdata()
            owner = self.used() if c.random() < 0.3 else self.owner()
            if r.type == NS and owner.partition('.')[0] == 'key':
                owner = 'x'
            if r.type == KEY:
                owner = 'key.' + owner
            if owner == '' and r.type == DNAME and c.random() < 0.8:  # hides all of the zone
                owner = 'dn'
            return [RR(owner, IN, r.type, self.ttl(), r)]
        if kind == 'delegation':  # with DS, with glue, or with neither
            owner = 'x' + self.owner().replace('*', 'x')  # never that of a KEY, nor at the apex
            inside = self.rdata('NS', f'ns.{owner}')
            out = [RR(owner, IN, NS, 300, inside if c.random() < 0.5 else self.rdata('NS', c.choice(TARGETS)))]
            if c.random() < 0.5:
                out.append(RR(owner, IN, DS, 300, self.rdata('DS', c.choice(DATA['DS']))))
            if c.random() < 0.7:
                out.append(RR(f'ns.{owner}', IN, 1, 300, self.rdata('A', c.choice(DATA['A']))))
            c.shuffle(out)
            return out
        owner = self.used()
        sets = self.zone.names.get(owner, {})
        number = c.choice(list(sets)) if sets and c.random() < 0.8 else self.some_rdata().type
        if kind == 'record':
            s = sets.get(number)
            r = c.choice(list(s.records.values())) if s else self.some_rdata()
            return [RR(owner, NONE, r.type, 0, r)]
        if kind == 'set':
            return [RR(owner, ANY, number)]
        if kind == 'name':
            return [RR(owner, ANY, ANY_TYPE)]
        if kind == 'soa':
            return [self.soa()]
        if kind == 'apex':  # nobody may
            what = c.choice(((ANY, ANY_TYPE), (ANY, SOA), (ANY, NS), (NONE, NS)))
            records = self.zone.find('', NS).records
            return [RR('', *what, 0, c.choice(list(records.values())) if what[0] == NONE else None)]
        r = self.some_rdata()
        return [c.choice((RR('www.elsewhere.', IN, r.type, 60, r), RR(owner, ANY, r.type, 1), RR(owner, ANY, r.type, 0, r),
                          RR(owner, NONE, r.type, 1, r), RR(owner, 3, r.type, 0, r), RR(owner, IN, 251, 60),
                          RR(owner, ANY, 252), RR(owner, NONE, ANY_TYPE), RR(owner, IN, ANY_TYPE, 60),
                          RR(owner, ANY, model.RRSIG), RR(owner, ANY, model.NSEC), RR(owner, ANY, model.NSEC3)))]

    def some_prerequisite(self, want):
        """One that holds if @want, at least when the message before it was the last."""
        c = self.chance
        owner = self.used() if want or c.random() < 0.5 else self.owner()
        sets = self.zone.names.get(owner, {})
        number = c.choice(list(sets)) if sets and (want or c.random() < 0.6) else self.some_rdata().type
        form = c.randrange(5)
        if form == 0:
            return [RR(owner, ANY, ANY_TYPE)]
        if form == 1:
            return [RR(self.owner() if want else owner, NONE, ANY_TYPE)]
        if form == 2:
            return [RR(owner, ANY, number)]
        if form == 3:
            return [RR(owner, NONE, self.some_rdata().type if want else number)]
        s = sets.get(number)
        if s is None or number == SOA:  # whose serial is not known
            r = self.some_rdata()
            return [RR(owner, IN, r.type, 0, r)]
        records = list(s.records.values())
        if not want and c.random() < 0.7:
            records = records[:-1] or [r for r in [self.some_rdata()] if r.type == number]
        return [RR(owner, IN, number, 0, r) for r in records]

    def some_bad_prerequisite(self):
        c = self.chance
        r = self.some_rdata()
        owner = self.used()
        return [c.choice((RR('www.elsewhere.', ANY, ANY_TYPE), RR(owner, ANY, r.type, 1), RR(owner, IN, r.type, 1, r),
                          RR(owner, ANY, r.type, 0, r), RR(owner, NONE, r.type, 0, r), RR(owner, 3, r.type, 0, r),
                          RR(owner, ANY, 252), RR(owner, NONE, 251), RR(owner, IN, ANY_TYPE)))]

    def some_message(self):
        c = self.chance
        prerequisites = []
        if c.random() < 0.3:
            want = c.random() < 0.6
            for _ in range(c.choice((1, 1, 1, 2, 3))):
                prerequisites += self.some_prerequisite(want)
        if c.random() < 0.01:
            prerequisites += self.some_bad_prerequisite()
        updates = []
        for _ in range(c.choices((0, 1, 2, 3, 6, 20), (1, 60, 20, 12, 5, 1))[0]):
            updates += self.some_update()
        c.shuffle(prerequisites)
        return prerequisites, self.taken_by_peers(updates) if self.for_peers else updates

    def taken_by_peers(self, updates):
        names, dnames, out = set(self.zone.names), {n for n, sets in self.zone.names.items() if DNAME in sets}, []
        for rr in updates:
            if rr.cls == IN and (rr.type == KEY or any(n in dnames for n in model.above(rr.owner)) or
                                 rr.type == DNAME and any(rr.owner in model.above(n) for n in names)):
                continue
            names.add(rr.owner)
            if rr.cls == IN and rr.type == DNAME:
                dnames.add(rr.owner)
            out.append(rr)
        return out

    def is_hidden(self, owner):
        """By a DNAME record above it; no NSEC3 record is, whose owner is a hash."""
        return len(owner) != 32 and any(self.zone.find(above, DNAME) for above in model.above(owner))

    def text(self, serial):
        """A zone file of the model, without what is hidden."""
        lines = []
        for owner, sets in self.zone.names.items():
            if self.is_hidden(owner):
                continue
            for number, s in sets.items():
                for r in s.records.values():
                    text = r.text
                    if number == SOA:
                        words = text.split()
                        text = ' '.join(words[:2] + [str(serial)] + words[3:])
                    rdtype = dns.rdatatype.to_text(number)
                    lines.append(f'{owner}{"." if owner else ""}{self.name} {s.ttl} IN {rdtype} {text}\n')
        return ''.join(lines)

    def make(self, count):
        """In the model alone."""
        for _ in range(count):
            self.zone.update(*self.some_message())

    def spell(self, owner):
        return owner.upper() if self.chance.random() < 0.1 else owner

    def send(self, s, count):
        """Together in groups, which the server may make one change of, or one by one, with a change for each."""
        while count > 0:
            n = min(count, self.chance.choice((1, 1, 1, 1, 5, 20, 100)))
            expected = {}
            batch = b''
            for i in range(n):
                prerequisites, updates = self.some_message()
                rcode = self.zone.update(prerequisites, updates)
                low, high = self.zone.serial
                self.zone.serial = (low, high + (rcode == 0))
                expected[i] = (rcode, prerequisites, updates)
                batch += peer.frame(model.wire_message(i, self.wire, prerequisites, updates, self.spell))
            self.tried += n
            s.sendall(batch)
            while expected:
                wire = peer.read_wire(s)
                if wire is None:
                    raise RuntimeError('the server has closed the connection')
                number, flags = struct.unpack('!HH', wire[:4])
                rcode, prerequisites, updates = expected.pop(number)
                self.counts[rcode] = self.counts.get(rcode, 0) + 1
                if self.judges and flags & 15 != rcode:
                    self.bad.append(f'{RCODES[flags & 15]}, expected {RCODES[rcode]}: prerequisites '
                                    f'{[describe(r) for r in prerequisites]} updates {[describe(r) for r in updates]}')
            self.sent += n
            count -= n


def describe(rr):
    classes = {IN: 'IN', NONE: 'NONE', ANY: 'ANY'}
    return (f'{rr.owner or "@"} {rr.ttl} {classes.get(rr.cls, rr.cls)} {dns.rdatatype.to_text(rr.type)} '
            f'{rr.rdata.text if rr.rdata is not None else ""}')
