#!/usr/bin/env python3
"""Random updates against a model (model.py): three zones, signed with NSEC, NSEC3 and NSEC3 with opt-out, each with a
client that sends updates of every form, one at a time or many at once.

Each answer has the rcode that the model gives. Every 500 updates of a zone its records are those of the model; with those
that DNSSEC adds, it is the zone that signet-signzone makes of the model's content with the same keys, record for record but
for the signatures' octets and times; and ldns-verify-zone, dnssec-verify, kzonecheck and signet-verifyzone take it.

So it is after a restart. UPDATES=100000: how many, of all zones together. SEED=7: which."""
import os
import random
import re
import socket
import struct
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.name
import dns.rdatatype
import model
import peer
from model import ANY, ANY_TYPE, CNAME, DNAME, DS, IN, KEY, NONE, NS, RR, SOA, Rdata

UPDATES = int(os.environ.get('UPDATES', '2000'))
SEED = int(os.environ.get('SEED', '7'))
BETWEEN = 500  # updates of a zone between two looks at all of it
ZONES = {'nsec.': ('nsec', ('-Z', 'sha384')), 'nsec3.': ('nsec3', ('-3', '-')), 'opt-out.': ('opt-out', ('-3', '-', '-A'))}
DNSKEY_TTL = '3600'
# What the server adds, which the model does not have.
MADE = {dns.rdatatype.from_text(t) for t in ('RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'DNSKEY', 'CDS', 'CDNSKEY', 'ZONEMD')}
NSEC, RRSIG, ZONEMD = dns.rdatatype.NSEC, dns.rdatatype.RRSIG, dns.rdatatype.ZONEMD
RCODES = {0: 'NOERROR', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 5: 'REFUSED', 6: 'YXDOMAIN', 7: 'YXRRSET', 8: 'NXRRSET',
          9: 'NOTAUTH', 10: 'NOTZONE'}
# What kzonecheck may find: it wants addresses that DNSSEC does not, and does not know that KEY may stand beside CNAME
# (RFC 4035 §2.5).
KNOT_FINDINGS = re.compile(r'\[.*\] missing glue record|\[key\..*\] another record exists beside CNAME|'
                           r'|Error summary:| +\d+\t(missing glue record|another record exists beside CNAME)|'
                           r'Serious semantic error detected')
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


class Client:
    """Makes updates for one zone, sends them, and keeps the model of it.

    Not asked for is KEY at a delegation, which dnssec-verify takes for the parent's."""

    def __init__(self, t, server, zone):
        self.t, self.server, self.name = t, server, zone
        self.origin = dns.name.from_text(zone)
        self.wire = self.origin.to_wire()
        self.chance = random.Random(f'{SEED} {zone}')
        self.zone = model.Zone()
        self.sent = self.looks = 0
        self.counts = {}
        self.last = (None, None)  # content and serial at the last look
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
            serial = high + c.choice((1000, 10 ** 6, 2 ** 30))
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
        return prerequisites, updates

    def spell(self, owner):
        return owner.upper() if self.chance.random() < 0.1 else owner

    # --- sending ---

    def run(self, count):
        """Sends so many updates; looks at the zone every now and then."""
        try:
            while count > 0 and not self.bad:
                n = min(count, BETWEEN)
                with socket.create_connection(('127.0.0.1', self.server.port), timeout=60) as s:
                    self.send(s, n)
                self.look()
                count -= n
        except Exception as e:
            self.bad.append(traceback.format_exc())

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
            s.sendall(batch)
            while expected:
                wire = peer.read_wire(s)
                if wire is None:
                    raise RuntimeError('the server has closed the connection')
                number, flags = struct.unpack('!HH', wire[:4])
                rcode, prerequisites, updates = expected.pop(number)
                self.counts[rcode] = self.counts.get(rcode, 0) + 1
                if flags & 15 != rcode:
                    self.bad.append(f'{RCODES[flags & 15]}, expected {RCODES[rcode]}: prerequisites '
                                    f'{[describe(r) for r in prerequisites]} updates {[describe(r) for r in updates]}')
            self.sent += n
            count -= n

    # --- looking ---

    def look(self):
        """Compares, and lets others validate."""
        self.looks += 1
        records = self.served()
        name = f'{self.name} after {self.sent} updates'
        serial = self.compare_to_model(name, records)
        self.compare_to_scratch(name, records, serial)
        whole, seen = self.t.path(f'{self.name}served'), self.t.path(f'{self.name}seen')
        with open(whole) as f, open(seen, 'w') as out:
            out.writelines(for_knot(line) for line in f if not self.is_hidden(self.relative(line.split(None, 1)[0])))
        for tool, path in (((os.path.join(peer.BIN, 'signet-verifyzone'), '-q'), whole), (('ldns-verify-zone',), whole),
                           (('dnssec-verify', '-q', '-o', self.name), whole), (('kzonecheck', '-o', self.name), seen)):
            status, output = peer.run(*tool, path)
            if tool[0] == 'kzonecheck' and output and all(KNOT_FINDINGS.fullmatch(line) for line in output.splitlines()):
                status = 0
            if status != 0:
                self.bad.append(f'{name}: {tool[0]}: {output[-1500:]}')

    def is_hidden(self, owner):
        """By a DNAME record above it; no NSEC3 record is, whose owner is a hash."""
        return len(owner) != 32 and any(self.zone.find(above, DNAME) for above in model.above(owner))

    def relative(self, owner):
        owner = owner.lower()
        return '' if owner == self.name else owner[:-len(self.name) - 1]

    def look_again(self, server):
        """After a restart, which is to find what there was, to the serial."""
        self.server = server
        if not self.bad:
            self.look()

    def served(self):
        """[(owner, TTL, type, Rdata)] of all the zone, and a file of it."""
        path = self.t.path(f'{self.name}served')
        self.server.transfer(self.name, path)
        return self.read(path)

    def read(self, path):
        out = []
        with open(path) as f:
            for line in f:
                if not line.startswith(';'):
                    owner, ttl, _, rdtype, text = line.rstrip('\n').split(None, 4)
                    out.append((self.relative(owner), int(ttl), dns.rdatatype.from_text(rdtype), self.rdata(rdtype, text)))
        return out

    def compare_to_model(self, name, records):
        """Returns the serial."""
        served = model.Zone()
        for owner, ttl, number, rdata in records:
            if number not in MADE:
                served.put(owner, ttl, rdata)
        have, want = served.content(), self.zone.content()
        if have != want:
            self.bad.append(f'{name}: served and not in the model: {sorted(set(have.items()) - set(want.items()))[:5]}, '
                            f'in the model and not served: {sorted(set(want.items()) - set(have.items()))[:5]}')
        serial = model.soa_numbers(next(iter(served.find('', SOA).records.values())))[0]
        low, high = self.zone.serial
        if (serial - low) % 2 ** 32 > (high - low) % 2 ** 32:
            self.bad.append(f'{name}: serial {serial}, not in {low} to {high}')
        if self.last[1] == serial and self.last[0] != have:
            self.bad.append(f'{name}: other records, and serial {serial} as before')
        self.last = have, serial
        self.zone.serial = (serial, serial)
        return serial

    def text(self, serial):
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

    def compare_to_scratch(self, name, records, serial):
        source = self.t.write(f'{self.name}plain', self.text(serial))
        scratch = self.t.path(f'{self.name}scratch')
        options = ZONES[self.name][1]
        status, output = peer.ours('signet-signzone', '-v', '0', '-S', '-K', self.t.path('database', 'keys'), '-T', DNSKEY_TTL,
                                   '-d', self.t.dir, '-o', self.name, '-f', scratch, *options, source)
        if status != 0:
            self.bad.append(f'{name}: signet-signzone: {output[-1500:]}')
            return
        have = made(r for r in records if not self.is_hidden(r[0]))
        want = made(self.read(scratch))
        if have != want:
            self.bad.append(f'{name}: served and not made from scratch: {sorted(have - want)[:8]}, made from scratch and not '
                            f'served: {sorted(want - have)[:8]}')


def made(records):
    """All records, signatures without octets and times; the digest of a zone is over those, too."""
    out = set()
    for owner, ttl, number, rdata in records:
        octets = rdata.canonical
        if number == RRSIG:  # type, algorithm, labels, TTL; key tag and signer
            octets = octets[:8] + octets[16:octets.index(b'\0', 18)]
        elif number == NSEC:  # the next name is written as it came
            end = octets.index(b'\0')
            octets = octets[:end].lower() + octets[end:]
        elif number == ZONEMD:
            octets = octets[:6]
        out.add((owner, ttl, dns.rdatatype.to_text(number), octets))
    return out


def for_knot(line):
    """It does not know WKS by that name."""
    head, is_wks, text = line.partition('\tWKS\t')
    if is_wks:
        wire = Rdata.of('WKS', text.strip()).wire
        return f'{head}\tTYPE11\t\\# {len(wire)} {wire.hex()}\n'
    return line.replace('\tRRSIG\tWKS ', '\tRRSIG\tTYPE11 ').replace(' WKS ', ' TYPE11 ')


def describe(rr):
    classes = {IN: 'IN', NONE: 'NONE', ANY: 'ANY'}
    return (f'{rr.owner or "@"} {rr.ttl} {classes.get(rr.cls, rr.cls)} {dns.rdatatype.to_text(rr.type)} '
            f'{rr.rdata.text if rr.rdata is not None else ""}')


def start(t, port):
    zones = ''
    for zone, (policy, _) in ZONES.items():
        zones += (f'  - name: {zone}\n    file: {t.path(zone)}zone\n    dnssec: {policy}\n'
                  f'    allow-update: 127.0.0.1\n    allow-transfer: 127.0.0.1\n')
    config = t.write('signetd.yaml', f'''server:
  listen: [ 127.0.0.1@{port} ]
  database: {t.path('database')}
  journal-size: 16M # little: history has to go
policies:
  - {{ name: nsec, zonemd: sha384 }}
  - {{ name: nsec3, denial: nsec3 }}
  - {{ name: opt-out, denial: nsec3-opt-out }}
zones:
{zones}''')
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path('signetd.log'))
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


def main():
    with peer.Test('model') as t:
        os.makedirs(t.path('database'))
        for zone in ZONES:
            t.write(f'{zone}zone', FILE)
        server = start(t, peer.free_port())
        began = time.monotonic()
        clients = [Client(t, server, zone) for zone in ZONES]
        threads = [threading.Thread(target=c.run, args=(UPDATES // len(ZONES),)) for c in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        t.check('ends well', server.stop() == 0)
        server = start(t, server.port)
        for c in clients:
            c.look_again(server)
        for c in clients:
            t.check(f'{c.name} seed {SEED}: {c.sent} updates as the model has them', not c.bad, '\n'.join(c.bad[:5]))
            t.check(f'{c.name}: all were sent', c.sent == UPDATES // len(ZONES), c.sent)
            counts = ', '.join(f'{n} {RCODES[r]}' for r, n in sorted(c.counts.items()))
            print(f'model: {c.name}: {c.sent} updates ({counts}), {c.looks} looks, {len(c.zone.names)} names at the end')
        log = server.log()
        failures = [line for line in log.splitlines() if 'zone-unchanged' in line]
        t.check('nothing failed within the server', not failures, failures[:5])
        print(f'model: {sum(c.sent for c in clients)} updates in {seconds:.1f} s')


main()
