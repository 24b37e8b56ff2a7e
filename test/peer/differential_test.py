#!/usr/bin/env python3
"""The same signed zones served by signetd, named, knotd and nsd, the same questions asked of each: every owner
with many types, names that are missing at every level, below cuts and DNAMEs, empty non-terminals,
with DO and without. Where the three peers agree, we agree; where we differ from all of them that agree, a
row of KNOWN says who is right and by which RFC."""
import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import peer

QUESTIONS = int(os.environ.get('QUESTIONS', '2500'))  # of each zone
CHAINS = {'nsec': (), 'nsec3': ('-3', '-'), 'optout': ('-3', 'a1b2', '-A')}
TYPES = ('A', 'AAAA', 'NS', 'SOA', 'MX', 'TXT', 'CNAME', 'DNAME', 'DS', 'DNSKEY', 'SRV', 'TYPE65280')

ZONE = '''$ORIGIN example.
$TTL 300
@         SOA ns1 host 1 3600 900 1209600 300
          NS ns1
          NS ns2.other.test.
          MX 10 mail
ns1       A 127.0.0.1
mail      A 192.0.2.25
          AAAA 2001:db8::25
www       A 192.0.2.1
          AAAA 2001:db8::1
          TXT "a" "b"
*.wild    A 192.0.2.2
          TXT "wild"
blocked.wild TXT "no address here"
a.ent.wild A 192.0.2.3
*.cwild   CNAME www
a.b.c.ent A 192.0.2.4
alias     CNAME www
chain1    CNAME chain2
chain2    CNAME chain3
chain3    CNAME www
dangling  CNAME nowhere
outside   CNAME www.other.test.
loop1     CNAME loop2
loop2     CNAME loop1
towild    CNAME x.wild
incut     CNAME www.sub
dn        DNAME tree
dn        A 192.0.2.5
host.tree A 192.0.2.6
*.tree    TXT "tree"
sub       NS ns.sub
          NS ns1
ns.sub    A 192.0.2.7
deep.ns.sub A 192.0.2.8
sec       NS ns1
sec       DS 12345 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
insec.del NS ns.other.test.
x.y.insec2 NS ns.other.test.
_sip._udp SRV 1 2 5060 mail
mx        MX 10 mail
          MX 20 mail.sub
          MX 30 mail.other.test.
\\000.odd  A 192.0.2.9
a\\000.odd A 192.0.2.10
a\\.b.odd  A 192.0.2.11
UPPER.odd A 192.0.2.12
generic   TYPE65280 \\# 3 010203
'''

# (what, RFC): questions in which the peers agree and we are right to differ.
KNOWN = {
}

# RRSIG, reserved and unassigned types, NXNAME, TKEY, TSIG, transfers, MAILB, MAILA
CORNER_TYPES = (0, 41, 46, 103, 128, 200, 249, 250, 251, 252, 253, 254)
OPT = b'\0\0\x29\x04\xd0\0\0\x80\0\0\0'
# corner: (our answer, why)
CORNERS = {
    'TYPE41': ('FORMERR', 'OPT is no type of data (RFC 6891 §6.1.1); BIND says so too'),
    'TYPE128': ('FORMERR', 'NXNAME may not be asked for (RFC 9824 §3.5); BIND says so too'),
    'TYPE250': ('FORMERR', 'TSIG is part of a message (RFC 8945 §4.2); BIND says so too'),
    'TYPE249': ('NOTIMP', 'TKEY is a request for a key (RFC 2930 §2.1), which nobody here serves'),
    'TYPE253': ('NOTIMP', 'MAILB is a question for several types (RFC 1035 §3.2.3); BIND says so too'),
    'cookie of 0': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too, the others know no cookies'),
    'cookie of 7': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'cookie of 9': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'cookie of 15': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'cookie of 41': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'TYPE254': ('NOTIMP', 'MAILA is a question for several types (RFC 1035 §3.2.3); BIND says so too'),
}


def questions():
    """Owners and what surrounds them, with many types."""
    origin = dns.name.from_text('example.')
    owners = {origin}
    owner = origin
    for line in ZONE.splitlines():
        if line and line[0] not in ' $':
            text = line.split()[0]
            owner = origin if text == '@' else dns.name.from_text(text, origin)
        owners.add(owner)
    names = set(owners)
    for n in owners:
        parent = n
        while parent != origin:
            parent = parent.parent()
            names.add(parent)
        for label in (b'a', b'zz', b'*', b'\0', b'WWW', b'ent', b'a-b'):
            for base in (n, n.parent() if n != origin else n):
                try:
                    names.add(dns.name.Name((label,) + base.labels))
                    names.add(dns.name.Name((b'x', label) + base.labels))
                except dns.name.NameTooLong:
                    pass
    for n in list(names):
        if n != origin and len(n.labels[0]) < 60:
            names.add(dns.name.Name((n.labels[0] + b'\0',) + n.labels[1:]))
    everything = sorted((str(n), rdtype, do) for n in names for rdtype in TYPES for do in (False, True))
    r = random.Random(5)
    r.shuffle(everything)
    return everything[:QUESTIONS]


class Client:
    """One socket per server; questions one at a time."""

    def __init__(self, server):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.connect(('127.0.0.1', server.port))
        self.s.settimeout(5)

    def ask(self, wire):
        self.s.send(wire)
        while True:
            answer = self.s.recv(65535)
            if answer[:2] == wire[:2]:
                return dns.message.from_wire(answer, ignore_trailing=False)


def records(section, keep_ttl=True):
    return frozenset((rs.name, rs.rdtype, rs.covers, rs.ttl if keep_ttl else 0, rd.to_digestable())
                     for rs in section for rd in rs)


def essence(m):
    """What has to agree: code, AA, answer and authority as sets of records. Additional data is optional, but
    for the glue of a referral."""
    aa = bool(m.flags & dns.flags.AA)
    referral = not aa and any(rs.rdtype == dns.rdatatype.NS for rs in m.authority)
    glue = frozenset()
    if referral:
        cut = next(rs.name for rs in m.authority if rs.rdtype == dns.rdatatype.NS)
        glue = frozenset(r for r in records(m.additional) if r[0].is_subdomain(cut))
    return (m.rcode(), aa, bool(m.flags & dns.flags.TC), records(m.answer), records(m.authority), glue)


def show(e):
    rcode, aa, tc, answer, authority, glue = e
    parts = [dns.rcode.to_text(rcode), 'aa' if aa else '-', 'tc' if tc else '-']
    for name, section in (('answer', answer), ('authority', authority), ('glue', glue)):
        rows = sorted(f'{r[0]} {r[3]} {dns.rdatatype.to_text(r[1])}'
                      f'{"(" + dns.rdatatype.to_text(r[2]) + ")" if r[2] else ""}' for r in section)
        parts.append(f'{name}: ' + ', '.join(rows))
    return '\n    '.join(parts)


def compare(t, chain, options):
    keys, _ = peer.generate_keys(t, 'example.')
    source = t.write(f'{chain}.zone', ZONE)
    signed = peer.sign(t, 'example.', source, keys, *options)
    servers = {'signet': peer.signetd(t, {'example.': signed}, extra='  udp-size: 4096')}
    for name, start in (('named', peer.named), ('knot', peer.knotd), ('nsd', peer.nsd)):
        servers[name] = start(t, 'example.', signed)
    clients = {name: Client(s) for name, s in servers.items()}
    split = wrong = known = 0
    for name, rdtype, do in questions():
        q = dns.message.make_query(name, rdtype, want_dnssec=do, payload=4096 if do else None, use_edns=0 if do else -1)
        q.flags = 0
        wire = q.to_wire()
        got = {n: essence(c.ask(wire)) for n, c in clients.items()}
        peers = {got[n] for n in ('named', 'knot', 'nsd')}
        if len(peers) > 1:
            split += 1
            if got['signet'] in peers:
                continue
        if got['signet'] not in peers:
            if (chain, name, rdtype, do) in KNOWN:
                known += 1
                continue
            most = max(peers, key=lambda e: sum(got[n] == e for n in ('named', 'knot', 'nsd')))
            if sum(got[n] == most for n in ('named', 'knot', 'nsd')) < 2:
                continue  # each of the four says something else
            wrong += 1
            if wrong <= 5:
                print(f'{chain}: {name} {rdtype} do={do}')
                for n, e in got.items():
                    print(f'  {n}: {show(e)}')
    t.check(f'{chain}: {QUESTIONS} questions, peers split on {split}', wrong == 0, f'{wrong} differ')
    for s in list(servers.values()):
        s.stop()


def with_options(options, version=0, flags=0, questions=1, rdclass=1):
    """www.example. A with an OPT record."""
    question = dns.name.from_text('www.example.').to_wire() + struct.pack('!HH', 1, rdclass) if questions else b''
    return struct.pack('!6H', 1, 0, questions, 0, 0, 1) + question + b'\0\0\x29' + \
        struct.pack('!HBBHH', 1232, 0, version, flags, len(options)) + options


def option_queries():
    for length in (0, 7, 8, 9, 15, 16, 24, 40, 41):
        yield f'cookie of {length}', with_options(struct.pack('!HH', 10, length) + b'c' * length)
    yield 'no question but a cookie', with_options(struct.pack('!HH', 10, 8) + b'c' * 8, questions=0)
    yield 'version 1', with_options(b'', version=1)
    yield 'version 1 with a malformed cookie', with_options(struct.pack('!HH', 10, 1) + b'c', version=1)
    yield 'version 255', with_options(b'', version=255)
    yield 'flags that nobody knows', with_options(b'', flags=0x7fff)
    for code in (0, 3, 5, 9, 11, 12, 13, 14, 15, 18, 19, 20, 100, 65001, 65535):
        yield f'option {code}', with_options(struct.pack('!HH', code, 0))
    yield 'an option cut short', with_options(struct.pack('!HH', 65001, 3) + b'hi')
    yield 'half an option', with_options(b'\0\3\0')
    for opcode in (1, 2, 3, 6, 15):
        wire = bytearray(with_options(b''))
        wire[2] = opcode << 3
        yield f'opcode {opcode} with OPT', bytes(wire)
    for rdclass in (4, 255):
        yield f'class {rdclass} with OPT', with_options(b'', rdclass=rdclass)


def corner_queries():
    """(what, query in wire form, over TCP)"""
    for name in ('www.example.', 'example.', 'other.test.'):
        n = dns.name.from_text(name).to_wire()
        for rdtype in CORNER_TYPES:
            for tcp in (False, True) if rdtype in (251, 252) else (False,):
                yield (f'{name} TYPE{rdtype}{" TCP" if tcp else ""}',
                       struct.pack('!6H', 1, 0, 1, 0, 0, 1) + n + struct.pack('!HH', rdtype, 1) + OPT, tcp)
    n = dns.name.from_text('www.example.').to_wire()
    for rdclass in (0, 3, 254):
        yield f'class {rdclass}', struct.pack('!6H', 1, 0, 1, 0, 0, 1) + n + struct.pack('!HH', 1, rdclass) + OPT, False
    for what, wire in option_queries():
        yield what, wire, False
    yield 'AXFR of class CH', struct.pack('!6H', 1, 0, 1, 0, 0, 0) + n + struct.pack('!HH', 252, 3), True
    yield 'OPT twice', struct.pack('!6H', 1, 0, 1, 0, 0, 2) + n + struct.pack('!HH', 1, 1) + OPT + OPT, False
    yield 'OPT and no question', struct.pack('!6H', 1, 0, 0, 0, 0, 1) + OPT, False
    yield 'no question', struct.pack('!6H', 1, 0, 0, 0, 0, 0), False


def ask_wire(server, wire, tcp):
    """What has to agree: code, AA, counts of answer and authority, whether there is an OPT. None: silence."""
    try:
        if tcp:
            with socket.create_connection(('127.0.0.1', server.port), timeout=3) as s:
                s.sendall(struct.pack('!H', len(wire)) + wire)
                with s.makefile('rb') as f:
                    answer = f.read(struct.unpack('!H', f.read(2))[0])
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.connect(('127.0.0.1', server.port))
                s.settimeout(2)
                s.send(wire)
                answer = s.recv(65535)
    except (OSError, struct.error):
        return None
    _, flags, _, answers, authority, additional = struct.unpack('!6H', answer[:12])
    return (dns.rcode.to_text(flags & 15), bool(flags & dns.flags.AA), answers, authority, additional)


def corners(t):
    """What hardly anybody asks. Where two of the peers agree, we do as they, or CORNERS says why not."""
    keys, _ = peer.generate_keys(t, 'example.')
    signed = peer.sign(t, 'example.', t.write('corners.zone', ZONE), keys)
    signet = peer.signetd(t, {'example.': signed}, name='corners')
    others = [start(t, 'example.', signed, name=f'corners-{start.__name__}')
              for start in (peer.named, peer.knotd, peer.nsd)]
    for what, wire, tcp in corner_queries():
        ours = ask_wire(signet, wire, tcp)
        theirs = [ask_wire(s, wire, tcp) for s in others]
        most = max(theirs, key=theirs.count)
        key = next((k for k in (what, what.split()[-1]) if k in CORNERS), what)
        if key in CORNERS:
            t.check(f'{what}: we differ as we said', ours is not None and ours[0] == CORNERS[key][0], (ours, theirs))
        elif theirs.count(most) > 1:
            t.check(f'{what}: as most of them', ours == most, (ours, theirs))
        else:
            t.check(f'{what}: as one of them', ours in theirs, (ours, theirs))
    for s in (signet, *others):
        s.stop()


def main():
    with peer.Test('differential') as t:
        corners(t)
        for chain, options in CHAINS.items():
            compare(t, chain, options)


main()
