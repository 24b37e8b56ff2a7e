#!/usr/bin/env python3
"""Unbound and delv, with our DS as trust anchor, validate every kind of answer of a signetd that serves
what signet-keymgr and signet-signzone made: each algorithm, NSEC, NSEC3 and opt-out; and refuse what
was tampered with."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.dnssec
import dns.flags
import dns.rcode
import peer

ALGORITHMS = ('RSASHA256', 'RSASHA512', 'ECDSAP256SHA256', 'ECDSAP384SHA384', 'ED25519', 'ED448')
CHAINS = {'nsec': (), 'nsec3': ('-3', '-'), 'optout': ('-3', 'a1b2', '-A')}

# The owner of the record of www, with the salts of CHAINS; no name of the zone (RFC 5155 7.2.8).
OWNER = dns.dnssec.nsec3_hash('www.example.', '', 0, 1).lower() + '.example.'
PARENT = '''$ORIGIN example.
$TTL 300
@         SOA ns1 host 1 3600 900 1209600 300
          NS ns1
ns1       A 127.0.0.1
www       A 192.0.2.1
          AAAA 2001:db8::1
tampered  A 192.0.2.66
*.wild    A 192.0.2.2
a.b.ent   A 192.0.2.3
alias     CNAME www
alias2    CNAME foo.wild
far       CNAME host.secure
alias3    CNAME nowhere
*.cw      CNAME www
sub.*.ew  A 192.0.2.5
*.below.ent A 192.0.2.6
host.tree A 192.0.2.4
dn        DNAME tree
dn2       DNAME wild
dn3       DNAME secure
secure    NS ns1
insecure  NS ns1
deep.only.insecure2 NS ns1
''' + ''.join(f'big TXT "{i:03}{"x" * 200}"\n' for i in range(30))
CHILD = '''$TTL 300
@    SOA ns1.example. host 1 3600 900 1209600 300
     NS ns1.example.
host A 192.0.2.9
'''

# question: (rcode, secure, answers at least). None: opt-out makes the answer insecure.
QUESTIONS = {
    'positive': ('www.example.', 'A', dns.rcode.NOERROR, True, 1),
    'nodata': ('www.example.', 'MX', dns.rcode.NOERROR, True, 0),
    'empty non-terminal': ('b.ent.example.', 'A', dns.rcode.NOERROR, True, 0),
    'nxdomain': ('nope.example.', 'A', dns.rcode.NXDOMAIN, None, 0),
    'nxdomain deep': ('x.y.www.example.', 'A', dns.rcode.NXDOMAIN, None, 0),
    'wildcard': ('foo.wild.example.', 'A', dns.rcode.NOERROR, None, 1),
    'wildcard deep': ('x.foo.wild.example.', 'A', dns.rcode.NOERROR, None, 1),
    'wildcard nodata': ('foo.wild.example.', 'MX', dns.rcode.NOERROR, None, 0),
    'cname': ('alias.example.', 'A', dns.rcode.NOERROR, True, 2),
    'cname to wildcard': ('alias2.example.', 'A', dns.rcode.NOERROR, None, 2),
    'cname to the child': ('far.example.', 'A', dns.rcode.NOERROR, True, 2),
    'cname without data': ('alias.example.', 'MX', dns.rcode.NOERROR, True, 1),
    'cname to nowhere': ('alias3.example.', 'A', dns.rcode.NXDOMAIN, None, 1),
    'cname from a wildcard': ('foo.cw.example.', 'A', dns.rcode.NOERROR, None, 2),
    'nxdomain below an empty non-terminal': ('x.b.ent.example.', 'A', dns.rcode.NXDOMAIN, None, 0),
    'wildcard below an empty non-terminal': ('x.below.ent.example.', 'A', dns.rcode.NOERROR, None, 1),
    'empty wildcard': ('x.ew.example.', 'A', dns.rcode.NOERROR, None, 0),
    'below an empty wildcard': ('sub.x.ew.example.', 'A', dns.rcode.NOERROR, None, 0),
    'any': ('www.example.', 'ANY', dns.rcode.NOERROR, True, 1),
    'owner of an NSEC3 record': (OWNER, 'A', dns.rcode.NXDOMAIN, None, 0),
    'large': ('big.example.', 'TXT', dns.rcode.NOERROR, True, 30),
    'dname to nowhere': ('nope.dn.example.', 'A', dns.rcode.NXDOMAIN, None, 2),
    'dname to a wildcard': ('foo.dn2.example.', 'A', dns.rcode.NOERROR, None, 3),
    'dname to the child': ('host.dn3.example.', 'A', dns.rcode.NOERROR, True, 3),
    'no ds in the child': ('host.secure.example.', 'DS', dns.rcode.NOERROR, True, 0),
    'ds of no name': ('nope.example.', 'DS', dns.rcode.NXDOMAIN, None, 0),
    'dname': ('host.dn.example.', 'A', dns.rcode.NOERROR, True, 3),
    'dname itself': ('dn.example.', 'DNAME', dns.rcode.NOERROR, True, 1),
    'secure delegation': ('host.secure.example.', 'A', dns.rcode.NOERROR, True, 1),
    'nxdomain in the child': ('nope.secure.example.', 'A', dns.rcode.NXDOMAIN, None, 0),
    'insecure delegation': ('host.insecure.example.', 'A', dns.rcode.NOERROR, False, 1),
    'ds': ('secure.example.', 'DS', dns.rcode.NOERROR, True, 1),
    'no ds': ('insecure.example.', 'DS', dns.rcode.NOERROR, None, 0),
    'ent above insecure': ('only.insecure2.example.', 'A', dns.rcode.NOERROR, None, 0),
    'soa': ('example.', 'SOA', dns.rcode.NOERROR, True, 1),
    'dnskey': ('example.', 'DNSKEY', dns.rcode.NOERROR, True, 2),
}

# Unbound 1.17 does not know that the NSEC of the name before an empty wildcard tells of it (RFC 4592 2.2.2); delv does.
NOT_UNBOUND = ('empty wildcard', 'below an empty wildcard')

DELV_ALL = 'ECDSAP256SHA256'  # here delv is asked all of it, elsewhere these
DELV_SOME = ('positive', 'nxdomain', 'nodata', 'wildcard')


def delv_anchor(t, directory, name):
    """A trust-anchors file for delv with the KSK of the directory."""
    for key in os.listdir(directory):
        if key.endswith('.key'):
            text = open(os.path.join(directory, key)).read()
            m = re.search(r'DNSKEY 257 3 (\d+) (\S+)', text)
            if m:
                return t.write(name, f'trust-anchors {{ example. static-key 257 3 {m[1]} "{m[2]}"; }};\n')
    raise RuntimeError('no KSK')


def tamper(path):
    """Another address in a signed set."""
    text = open(path).read()
    changed = text.replace('192.0.2.66', '192.0.2.67')
    assert changed != text
    with open(path, 'w') as f:
        f.write(changed)


def serve(t, algorithm, chain):
    where = f'{algorithm} {chain}'
    keys, ds = peer.generate_keys(t, 'example.', algorithm)
    child_keys, child_ds = peer.generate_keys(t, 'secure.example.', algorithm)
    parent = t.write(f'{algorithm}-{chain}/parent', PARENT + child_ds + '\n')
    child = t.write(f'{algorithm}-{chain}/child', CHILD)
    signed = peer.sign(t, 'example.', parent, keys, *CHAINS[chain])
    signed_child = peer.sign(t, 'secure.example.', child, child_keys, *CHAINS[chain])
    tamper(signed)
    server = peer.signetd(t, {'example.': signed, 'secure.example.': signed_child,
                              'insecure.example.': child})
    stubs = {z: server.port for z in ('example.', 'secure.example.', 'insecure.example.')}
    resolver = peer.unbound(t, stubs, [ds])
    for kind, (name, rdtype, rcode, secure, count) in QUESTIONS.items():
        if chain == 'nsec' and kind in NOT_UNBOUND:
            continue
        r = resolver.ask(name, rdtype, tcp=kind == 'large')
        ad = bool(r.flags & dns.flags.AD)
        answers = sum(len(rs) for rs in r.answer if rs.rdtype != dns.rdatatype.RRSIG)
        expected = secure if secure is not None else (True if chain != 'optout' else ad)
        t.check(f'{where}: {kind}', r.rcode() == rcode and ad == expected and answers >= count,
                f'{dns.rcode.to_text(r.rcode())} ad={ad} answers={answers}\n{resolver.log()[-600:]}')
    r = resolver.ask('tampered.example.', 'A')
    t.check(f'{where}: tampered', r.rcode() == dns.rcode.SERVFAIL, dns.rcode.to_text(r.rcode()))
    anchor = delv_anchor(t, keys, f'{algorithm}.anchor')
    for kind, (name, rdtype, rcode, secure, count) in QUESTIONS.items():
        if rdtype == 'ANY' or not (algorithm == DELV_ALL or kind in DELV_SOME):
            continue  # delv does not know ANY
        _, output = peer.run('delv', '@127.0.0.1', '-p', str(server.port), '-a', anchor, '+root=example', name,
                             rdtype, timeout=20)
        words = ['fully validated'] if secure or (secure is None and chain != 'optout') else \
            ['unsigned answer', 'answer not validated'] + (['fully validated'] if secure is None else [])
        t.check(f'{where}: delv {kind}', any(w in output for w in words), output[-500:])
    t.check(f'{where}: signetd ends well', server.stop() == 0, server.log()[-500:])
    resolver.stop()
    for d in (keys, child_keys):
        for f in os.listdir(d):
            os.unlink(os.path.join(d, f))


def main():
    with peer.Test('serve') as t:
        for algorithm in ALGORITHMS:
            for chain in CHAINS:
                serve(t, algorithm, chain)


main()
