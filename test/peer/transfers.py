"""What tests of transfers share: zones, a signetd that lets them go, and clients that look at every message."""
import base64
import os
import socket
import struct

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import peer

ALGORITHMS = ['hmac-md5', 'hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha256-128',
              'hmac-sha384-192', 'hmac-sha512-256']
KEY = 'hmac-sha256.key.'
SECRET = base64.b64encode(b'transfers.py, 32 octets at length').decode()


def key_name(algorithm):
    return f'{algorithm}.key.'


def dnspython_algorithm(algorithm):
    return 'HMAC-MD5.SIG-ALG.REG.INT' if algorithm == 'hmac-md5' else algorithm


def key_argument(algorithm='hmac-sha256', name=None, secret=SECRET):
    return f'{algorithm}:{name or key_name(algorithm)}:{secret}'


def zone_text(zone, names=50, serial=1, refresh=1, ttl=300):
    """Something of everything: delegations with glue, wildcards, an empty non-terminal, names below it, big sets."""
    lines = [f'$ORIGIN {zone}', f'$TTL {ttl}', f'@ SOA ns1 hostmaster {serial} {refresh} 1 1209600 60', '@ NS ns1', '@ NS ns2.Elsewhere.',
             '@ MX 10 Mail', '@ MX 20 mail.elsewhere.', '@ TXT "v=spf1 -all"', 'ns1 A 192.0.2.1', 'ns1 AAAA 2001:db8::1',
             'mail A 192.0.2.2', '*.wild A 192.0.2.3', 'a.b.c.d.e TXT "far down"', 'alias CNAME www', 'tree DNAME other.example.',
             'sub NS ns.sub', 'ns.sub A 192.0.2.4', 'ns.sub AAAA 2001:db8::4', 'sub2 NS ns.sub', 'big 60 TXT ' + '"%s"' % ('x' * 250),
             '_sip._tcp SRV 1 2 5060 www', 'UPPER.Case A 192.0.2.7', 'www A 192.0.2.5', '\\000odd\\.name TXT "odd"', 'typed TYPE65400 \\# 3 010203']
    lines += [f'big 60 TXT "number {i} {"y" * 200}"' for i in range(20)]
    lines += [f'host{i} A 192.0.{i >> 8 & 255}.{i & 255}' for i in range(names)]
    lines += [f'host{i} TXT "of {i}"' for i in range(0, names, 3)]
    return '\n'.join(lines) + '\n'


def signetd(t, zones, name='signetd', server='', allow='any', update=f'key {KEY}', more='', more_zone=''):
    """Serves {zone: (text or path, policy or None)} to who is allowed, and takes updates from who is; with all keys."""
    port = peer.free_port()
    database = t.path(f'{name}.db')
    os.makedirs(database, exist_ok=True)
    text = f'server:\n  listen: [ 127.0.0.1@{port}, "::1@{port}" ]\n  database: {database}\n  control: "{t.path(name)}.control"\n'
    text += server + 'keys:\n'
    for a in ALGORITHMS:
        text += f'  - {{ name: {key_name(a)}, algorithm: {a}, secret: "{SECRET}" }}\n'
    text += f'policies:\n  - name: hashed\n    denial: nsec3\n{more}zones:\n'
    for zone, (content, policy) in zones.items():
        path = content if content.startswith('/') else t.write(f'{name}.{zone}zone', content)
        text += f'  - name: "{zone}"\n    file: {path}\n    allow-transfer: {allow}\n'
        if update:
            text += f'    allow-update: {update}\n'
        if policy is not None:
            text += f'    dnssec: {policy}\n'
        text += more_zone
    config = t.write(f'{name}.yaml', text)
    os.chmod(config, 0o600)
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path(f'{name}.log'))
    d.config = config
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


def again(t, d):
    """The same signetd, once more."""
    new = peer.Daemon(t, list(d.process.args), d.port, d.log_path)
    new.config = d.config
    peer.wait_for(new.is_up, 'answer from signetd')
    return new


def end(t, d, sig=15):
    """Stops a signetd, which a sanitizer may have something to say about."""
    status = d.stop(sig)
    if sig != 9:
        t.check('signetd ends well', status == 0, f'status {status}: {d.log()[-2000:]}')


def update(server, zone, changes):
    """Adds and removes records: [('add', 'www 60 A 192.0.2.9'), ('delete', 'www A')]. Returns the new serial."""
    u = dns.update.UpdateMessage(zone, keyring=dns.tsigkeyring.from_text({KEY: SECRET}), keyname=KEY,
                                 keyalgorithm='hmac-sha256')
    for what, text in changes:
        getattr(u, what)(*text.split(None, 3 if what == 'add' else 2))
    r = dns.query.tcp(u, '127.0.0.1', port=server.port, timeout=30)
    if r.rcode() != 0:
        raise RuntimeError(f'update of {zone}: {dns.rcode.to_text(r.rcode())}')
    return serial_of(server, zone)


def serial_of(server, zone):
    r = server.ask(zone, 'SOA', dnssec=False)
    return r.answer[0][0].serial if r.answer else None


class Transfer:
    """The messages of a transfer, its records in their order, and what was wrong with them."""

    def __init__(self):
        self.wires, self.messages, self.records, self.faults = [], [], [], []
        self.rcode = None

    def serials(self):
        return [r[3].serial for r in self.records if r[2] == dns.rdatatype.SOA]

    def zone(self):
        """All records, as a set; they have to be those of a whole zone, each once."""
        body = self.records[:-1]
        as_set = set(map(canonical, body))
        if len(as_set) != len(body):
            self.faults.append('a record is there twice')
        return as_set


def canonical(record):
    owner, ttl, rdtype, rd = record
    return owner.canonicalize().to_wire(), ttl, int(rdtype), rd.to_digestable()


MADE = {dns.rdatatype.from_text(x) for x in ('RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'DNSKEY', 'CDS', 'CDNSKEY', 'ZONEMD')}


def content(server, zone):
    """What a person has to say of it: the serial is the server's."""
    found = set()
    for owner, ttl, rdtype, rd in transfer(server, zone).records[:-1]:
        if rdtype == dns.rdatatype.SOA:
            found.add(('SOA', ttl, rd.mname, rd.rname, rd.refresh, rd.retry, rd.expire, rd.minimum))
        elif rdtype not in MADE:
            found.add(canonical((owner, ttl, rdtype, rd)))
    return found


def make_query(zone, rdtype='AXFR', serial=None, key=None, options=None, ident=None):
    q = dns.message.make_query(zone, rdtype, use_edns=0 if options is not None else None, options=options)
    q.flags = 0
    if ident is not None:
        q.id = ident
    if rdtype == 'IXFR':
        q.authority.append(dns.rrset.from_text(zone, 0, 'IN', 'SOA', f'. . {serial} 0 0 0 0'))
    if key is not None:
        q.use_tsig(dns.tsigkeyring.from_text({key_name(key): (dnspython_algorithm(key), SECRET)}), key_name(key),
                   algorithm=dnspython_algorithm(key))
    return q


def parse(q, wire, context, is_first):
    """A message of a transfer; checks its signature where the query has one."""
    return dns.message.from_wire(wire, keyring=q.keyring, request_mac=q.mac, xfr=True, one_rr_per_rrset=True, tsig_ctx=context,
                                 multi=True, origin=None, ignore_trailing=False)


def read_transfer(s, q, zone):
    """Reads from a stream until the transfer that @q asked for ends."""
    x = Transfer()
    apex = dns.name.from_text(zone)
    context = None
    first = None
    while True:
        wire = peer.read_wire(s)
        if wire is None:
            x.faults.append('the connection ended')
            return x
        m = parse(q, wire, context, not x.messages)
        context = m.tsig_ctx
        if m.id != q.id:
            x.faults.append(f'id {m.id}')
        if bool(m.question) != (not x.messages):
            x.faults.append('question')
        if q.keyring is not None and not m.had_tsig:
            x.faults.append('a message without TSIG')
        x.wires.append(wire)
        x.messages.append(m)
        x.rcode = m.rcode()
        if x.rcode != 0:
            return x
        for rrset in m.answer:
            x.records.append((rrset.name, rrset.ttl, rrset.rdtype, rrset[0]))
            if rrset.rdtype == dns.rdatatype.SOA and rrset.name != apex:
                x.faults.append('SOA of another name')
        if is_whole(x, q):
            return x


def is_whole(x, q):
    rs = x.records
    if not rs:
        return False
    if rs[0][2] != dns.rdatatype.SOA:
        x.faults.append('no SOA first')
        return True
    newest = rs[0][3].serial
    if q.question[0].rdtype == dns.rdatatype.IXFR:
        if q.authority[0][0].serial == newest or len(rs) == 1:
            return True
        if rs[1][2] == dns.rdatatype.SOA:
            return x.serials().count(newest) == 3
    return len(rs) > 1 and rs[-1][2] == dns.rdatatype.SOA


def connect(server, address='127.0.0.1', timeout=30, receive=None):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
    if receive is not None:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.settimeout(timeout)
    s.connect((address, server.port))
    return s


def transfer(server, zone, rdtype='AXFR', serial=None, key=None, address='127.0.0.1', **more):
    q = make_query(zone, rdtype, serial, key, **more)
    with connect(server, address) as s:
        s.sendall(peer.frame(q))
        return read_transfer(s, q, zone)


def differences(x):
    """An IXFR as [(from, to, removed, added)]."""
    found = []
    at = 1
    rs = x.records
    while at < len(rs) - 1:
        removed, added = [], []
        old = rs[at]
        removed.append(canonical(old))
        at += 1
        while rs[at][2] != dns.rdatatype.SOA:
            removed.append(canonical(rs[at]))
            at += 1
        new = rs[at]
        added.append(canonical(new))
        at += 1
        while rs[at][2] != dns.rdatatype.SOA:
            added.append(canonical(rs[at]))
            at += 1
        found.append((old[3].serial, new[3].serial, removed, added))
    return found


def apply(zone, x):
    """The set of records that @zone becomes by an IXFR; faults go to the transfer."""
    zone = set(zone)
    for old, new, removed, added in differences(x):
        for r in removed:
            if r not in zone:
                x.faults.append(f'{old}: removes what is not there: {r[0]} {r[2]}')
            zone.discard(r)
        for r in added:
            if r in zone:
                x.faults.append(f'{new}: adds what is there: {r[0]} {r[2]}')
            zone.add(r)
    return zone
