#!/usr/bin/env python3
"""Random updates against a model (model.py): three zones, signed with NSEC, NSEC3 and NSEC3 with opt-out, each with a
client that sends updates of every form, one at a time or many at once.

Each answer has the rcode that the model gives. Every 500 updates of a zone its records are those of the model; with those
that DNSSEC adds, it is the zone that signet-signzone makes of the model's content with the same keys, record for record but
for the signatures' octets and times; and ldns-verify-zone, dnssec-verify, kzonecheck and signet-verifyzone take it.

So it is after a restart. UPDATES=100000: how many, of all zones together. SEED=7: which."""
import os
import re
import socket
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.rdatatype
import model
import peer
from model import SOA, Rdata
from random_updates import FILE, RCODES, Updates

UPDATES = int(os.environ.get('UPDATES', '2000'))
SEED = int(os.environ.get('SEED', '7'))
BETWEEN = 500  # updates of a zone between two looks at all of it
ZONES = {'nsec.': ('nsec', ('-Z', 'sha384')), 'nsec3.': ('nsec3', ('-3', '-')), 'opt-out.': ('opt-out', ('-3', '-', '-A'))}
DNSKEY_TTL = '3600'
# What the server adds, which the model does not have.
MADE = {dns.rdatatype.from_text(t) for t in ('RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'DNSKEY', 'CDS', 'CDNSKEY', 'ZONEMD')}
NSEC, RRSIG, ZONEMD = dns.rdatatype.NSEC, dns.rdatatype.RRSIG, dns.rdatatype.ZONEMD
# What kzonecheck may find: it wants addresses that DNSSEC does not, and does not know that KEY may stand beside CNAME
# (RFC 4035 §2.5).
KNOT_FINDINGS = re.compile(r'\[.*\] missing glue record|\[key\..*\] another record exists beside CNAME|'
                           r'|Error summary:| +\d+\t(missing glue record|another record exists beside CNAME)|'
                           r'Serious semantic error detected')


class Client(Updates):
    """Sends updates to the server, and looks at the zone in between."""

    def __init__(self, t, server, zone):
        super().__init__(zone, SEED)
        self.t, self.server = t, server
        self.looks = 0
        self.last = (None, None)  # content and serial at the last look

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
