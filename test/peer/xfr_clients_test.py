#!/usr/bin/env python3
"""Programs as clients of transfers: dig, kdig and dnspython take a zone by AXFR and follow it by IXFR; and the way of external-dns:
one TSIG key that reads all of the zone by AXFR, and then writes what has to change by updates."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.message
import dns.name
import dns.query
import dns.rdata
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import dns.xfr
import dns.zone
import peer
import transfers
from transfers import KEY, SECRET, canonical, key_argument, serial_of, transfer, update

ZONES = {'plain.': None, 'nsec.': 'default', 'hashed.': 'hashed'}
KEYRING = dns.tsigkeyring.from_text({KEY: ('hmac-sha256', SECRET)})


def records_of(text):
    """What dig and kdig print, a record a line, as a set."""
    found = set()
    for line in text.splitlines():
        if line and not line.startswith(';'):
            owner, ttl, _, rdtype, rdata = line.split(None, 4)
            rd = dns.rdata.from_text('IN', rdtype, rdata, relativize=False)
            found.add(canonical((dns.name.from_text(owner), int(ttl), rd.rdtype, rd)))
    return found


def dig(server, zone, what):
    return peer.must('dig', '@127.0.0.1', '-p', str(server.port), '-y', key_argument(), '+noall', '+answer', '+nosplit', zone, what)


def kdig(server, zone, what):
    return peer.must('kdig', '@127.0.0.1', '-p', str(server.port), '-y', key_argument(), '+noall', '+answer', '+crypto', '+tcp', zone, what)


def steps(zone):
    for changes in ([('add', 'new 60 A 192.0.2.11')], [('delete', 'www'), ('add', 'cut 60 NS ns.cut')],
                    [('add', f'many{i} 60 TXT "{i}"') for i in range(30)], [('delete', 'new'), ('delete', 'cut')]):
        yield changes


def programs(t, server):
    for zone in ZONES:
        followed = dns.zone.Zone(zone, relativize=False)
        dns.query.inbound_xfr('127.0.0.1', followed, dns.message.make_query(zone, 'AXFR'), port=server.port)
        for number, changes in enumerate(steps(zone)):
            before = serial_of(server, zone)
            old = transfer(server, zone, key='hmac-sha256').zone()
            update(server, zone, changes)
            want = transfer(server, zone, key='hmac-sha256')
            new = want.zone()
            t.check(f'{zone} {number}: there is a change', old != new and not want.faults, want.faults[:2])
            for name, take in (('dig', dig), ('kdig', kdig)):
                t.check(f'{zone} {number}: {name} AXFR', records_of(take(server, zone, 'AXFR')) == new)
                got = records_of(take(server, zone, f'IXFR={before}'))
                t.check(f'{zone} {number}: {name} IXFR has what differs', old ^ new <= got and
                        not got - (old | new), list((old ^ new) - got)[:3])
            query, _ = dns.xfr.make_query(followed, keyring=KEYRING, keyname=KEY, keyalgorithm='hmac-sha256')
            t.check(f'{zone} {number}: dnspython asks for IXFR', query.question[0].rdtype == dns.rdatatype.IXFR)
            dns.query.inbound_xfr('127.0.0.1', followed, query, port=server.port)
            have = {canonical((name, rds.ttl, rds.rdtype, rd)) for name, node in followed.nodes.items() for rds in node for rd in rds}
            t.check(f'{zone} {number}: dnspython follows by IXFR', have == new, list(have ^ new)[:3])


# --- as external-dns does it ----------------------------------------------------------------------

OWNER = '"heritage=external-dns,external-dns/owner=cluster,external-dns/resource=service/default/{}"'


class ExternalDns:
    """Lists by AXFR, plans, and sends an update in which deletions come before additions; each name of its own has a TXT record
    that says so."""

    def __init__(self, server, zone):
        self.server, self.zone = server, zone

    def listed(self):
        q = dns.message.make_query(self.zone, 'AXFR')
        q.use_tsig(KEYRING, KEY, algorithm='hmac-sha256')
        z = dns.zone.Zone(self.zone, relativize=False)
        dns.query.inbound_xfr('127.0.0.1', z, q, port=self.server.port)
        owned = {}
        for name, rdataset in z.iterate_rdatasets('TXT'):
            if any('external-dns/owner=cluster' in rd.to_text() for rd in rdataset):
                addresses = z.get_rdataset(name, 'A')
                owned[name.to_text()[:-len(self.zone) - 1]] = sorted(rd.address for rd in addresses) if addresses else []
        return owned

    def sync(self, wanted):
        have = self.listed()
        u = dns.update.UpdateMessage(self.zone, keyring=KEYRING, keyname=KEY, keyalgorithm='hmac-sha256')
        for name, addresses in have.items():
            if wanted.get(name) != addresses:
                for a in addresses:
                    u.delete(name, 'A', a)
                u.delete(name, 'TXT', OWNER.format(name))
        for name, addresses in wanted.items():
            if have.get(name) != sorted(addresses):
                for a in addresses:
                    u.add(name, 300, 'A', a)
                u.add(name, 300, 'TXT', OWNER.format(name))
        return dns.query.tcp(u, '127.0.0.1', port=self.server.port, timeout=10).rcode()


def external_dns(t, server):
    for zone in ZONES:
        e = ExternalDns(server, zone)
        before = serial_of(server, zone)
        for wanted in ({'app': ['192.0.2.20'], 'api': ['192.0.2.21', '192.0.2.22']},
                       {'app': ['192.0.2.30'], 'api': ['192.0.2.21', '192.0.2.22'], 'more': ['192.0.2.40']},
                       {'api': ['192.0.2.22']}, {'api': ['192.0.2.22']}, {}):
            rcode = e.sync(wanted)
            t.check(f'external-dns, {zone} {sorted(wanted)}: taken', rcode == 0, rcode)
            t.check(f'external-dns, {zone} {sorted(wanted)}: listed', e.listed() == wanted, e.listed())
        t.check(f'external-dns, {zone}: what is no change makes no version', serial_of(server, zone) == before + 4, (before, serial_of(server, zone)))
        t.check(f'external-dns, {zone}: what others own stays', server.ask(f'host1.{zone}', 'A').answer)
        denied = dns.query.xfr('127.0.0.1', zone, port=server.port, relativize=False)
        try:
            list(denied)
            t.check(f'external-dns, {zone}: nobody lists without the key', False)
        except dns.query.TransferError as error:
            t.check(f'external-dns, {zone}: nobody lists without the key', re.search('REFUSED', str(error)) is not None, error)


def main():
    with peer.Test('xfr_clients') as t:
        zones = {zone: (transfers.zone_text(zone, 60), policy) for zone, policy in ZONES.items()}
        for part, allow in ((programs, 'any'), (external_dns, f'key {KEY}')):
            server = transfers.signetd(t, zones, name=part.__name__, allow=allow)
            part(t, server)
            if part is programs:
                for zone in ('nsec.', 'hashed.'):
                    path = t.path(f'{zone}got')
                    server.transfer(zone, path)
                    t.check(f'{zone} validates', peer.ours('signet-verifyzone', '-q', '-o', zone, path)[0] == 0)
            transfers.end(t, server)


main()
