#!/usr/bin/env python3
"""Zone transfer over TLS (RFC 9103): signetd as secondary of BIND, NSD and itself, strict by name, by pin, and mutual; as
primary of BIND, NSD, dig and kdig. Servers that do not prove who they are get nothing, and the zone stays as it was; the log
and signetctl status say what they have shown."""
import base64
import hashlib
import os
import re
import socket
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import certificates
import dns.query
import dns.update
import peer
import secondary_test
from certificates import certificate, pem, write_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from transfers import SECRET, key_name, make_query, serial_of, zone_text

KEY = key_name('hmac-sha256')
NAME = 'ns1.example'  # of primaries
OURS = 'ns2.example'  # of secondaries


# --- certificates ---------------------------------------------------------------------------------

def pin(cert):
    octets = cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


class Files:
    """NAME.pem with NAME.key, all of one authority but for those that sign themselves; the pin of each."""

    def __init__(self, t):
        self.pins = {}
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = certificate('authority', self.key, is_ca=True)
        t.write('ca.pem', pem(self.root))
        self.make(t, 'good', NAME)
        self.make(t, 'ours', OURS)
        self.make(t, 'other', 'ns9.example')
        self.make(t, 'old', NAME, days=(-30, -2))
        self.make(t, 'early', NAME, days=(2, 30))
        self.make(t, 'self', NAME, signs_itself=True)
        self.make(t, 'many', NAME, names=[f'x{i}.example' for i in range(40)] + ['\\033]0;x'])

    def make(self, t, file, name, signs_itself=False, **more):
        key = ec.generate_private_key(ec.SECP256R1())
        cert = certificate(name, key, *(() if signs_itself else (self.root, self.key)), **more)
        t.write(f'{file}.pem', pem(cert))
        write_key(t, f'{file}.key', key)
        self.pins[file] = pin(cert)


# --- signetd --------------------------------------------------------------------------------------

def start(t, name, text, port=None):
    port = port or peer.free_port()
    os.makedirs(t.path(f'{name}.db'), exist_ok=True)
    config = t.write(f'{name}.yaml', f'server:\n  listen: 127.0.0.1@{port}\n  database: {t.path(name)}.db\n  control: "{t.path(name)}.control"\n'
                     + text.replace('KEYS\n', f'keys:\n  - {{ name: {KEY}, secret: "{SECRET}" }}\n'))
    os.chmod(config, 0o600)
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path(f'{name}.log'))
    d.config = config
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


def secondary(t, name, zones, port=None):
    """Serves {zone: (port for TLS, options of the remote)}."""
    text = 'KEYS\nremotes:\n'
    for i, (p, options) in enumerate(zones.values()):
        text += f'  - {{ name: r{i}, addresses: 127.0.0.1, tls-port: {p}, port: 1{", " if options else ""}{options} }}\n'
    text += 'zones:\n'
    for i, z in enumerate(zones):
        text += f'  - {{ name: "{z}", primaries: r{i}, allow-notify: any, allow-transfer: any, allow-update-forwarding: any }}\n'
    return start(t, name, text, port)


def status(d, zone):
    return d.ctl('status', zone)[1]


# --- primaries ------------------------------------------------------------------------------------

def named(t, to):
    os.makedirs(t.path('named'), exist_ok=True)
    p = {n: peer.free_port() for n in ('plain', 'tls', 'mutual')}
    text = f'''tls one {{ cert-file "{t.path('good.pem')}"; key-file "{t.path('good.key')}"; }};
tls both {{ cert-file "{t.path('good.pem')}"; key-file "{t.path('good.key')}"; ca-file "{t.path('ca.pem')}"; }};
key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
options {{ directory "{t.path('named')}"; pid-file none; listen-on-v6 {{ none; }};
  listen-on port {p['plain']} {{ 127.0.0.1; }}; listen-on port {p['tls']} tls one {{ 127.0.0.1; }};
  listen-on port {p['mutual']} tls both {{ 127.0.0.1; }};
  recursion no; notify explicit; notify-delay 0; session-keyfile none; empty-zones-enable no; allow-transfer {{ none; }}; }};
controls {{ }};
'''
    zones = {'name.': ('tls', ''), 'pin.': ('tls', ''), 'both.': ('tls', ''), 'key.': ('tls', f'key "{KEY}"'), 'mutual.': ('mutual', '')}
    for z, (where, key) in zones.items():
        path = t.write(f'named/{z}zone', zone_text(z, refresh=3600))
        text += f'''zone "{z}" {{ type primary; file "{path}"; check-names ignore; check-integrity no; allow-update {{ any; }};
  also-notify {{ 127.0.0.1 port {to}; }}; allow-transfer port {p[where]} transport tls {{ {key or 'any'}; }}; }};
'''
    d = peer.Daemon(t, ['named', '-g', '-n', '1', '-c', t.write('named.conf', text)], p['plain'], t.path('named.log'))
    d.tls, d.mutual = p['tls'], p['mutual']
    return d


def nsd(t):
    os.makedirs(t.path('nsd'), exist_ok=True)
    port, tls = peer.free_port(), peer.free_port()
    text = f'''server:
  ip-address: 127.0.0.1@{port}
  ip-address: 127.0.0.1@{tls}
  tls-port: {tls}
  tls-service-key: "{t.path('good.key')}"
  tls-service-pem: "{t.path('good.pem')}"
  username: ""
  chroot: ""
  zonesdir: "{t.path('nsd')}"
  database: ""
  pidfile: ""
  xfrdfile: "{t.path('nsd', 'xfrd')}"
  xfrdir: "{t.path('nsd')}"
  zonelistfile: "{t.path('nsd', 'list')}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "nsd."
  zonefile: "{t.write('nsd/zone', zone_text('nsd.', refresh=3600))}"
  provide-xfr: 127.0.0.1 NOKEY
'''
    d = peer.Daemon(t, ['nsd', '-d', '-c', t.write('nsd.conf', text)], port, t.path('nsd.log'))
    d.tls = tls
    return d


def signetd(t, to):
    tls = peer.free_port()
    text = f'''  listen-tls: 127.0.0.1@{tls}
  tls-certificate: good.pem
  tls-key: good.key
  tls-client-ca: ca.pem
KEYS
remotes:
  - {{ name: to, addresses: 127.0.0.1, port: {to} }}
zones:
'''
    for z, rule, more in (('signet.', f'tls {OURS}', ''), ('signed.', f'key {KEY}', ', dnssec: default'), ('any.', 'any', '')):
        path = t.write(f'primary.{z}', zone_text(z, refresh=3600))
        text += f'  - {{ name: "{z}", file: {path}, notify: to, allow-update: 127.0.0.1, allow-transfer: {rule}{more} }}\n'
    d = start(t, 'primary', text)
    d.tls = tls
    return d


# --- it goes well ---------------------------------------------------------------------------------

def equal(t, what, d, primary, zone):
    """The zone is here, as the primary has it."""
    def same():
        try:
            return serial_of(d, zone) == serial_of(primary, zone) is not None
        except Exception:
            return False
    try:
        peer.wait_for(same, f'{zone} at the secondary', 20)
        t.check(f'{what}: {zone}', True)
    except RuntimeError as e:
        t.check(f'{what}: {zone}', False, f'{e}: {d.log()[-1000:]} {primary.log()[-500:]}')


def transfers_in(t, files):
    port = peer.free_port()
    primaries = [named(t, port), signetd(t, port)]
    for p in primaries:
        peer.wait_for(p.is_up, 'answer from a primary')
    b, s = primaries
    by_name = f'tls-hostname: {NAME}, tls-ca: ca.pem'
    ours = 'tls-certificate: ours.pem, tls-key: ours.key'
    zones = {'name.': (b.tls, by_name), 'pin.': (b.tls, f'tls-pins: [ "{files.pins["old"]}", "{files.pins["good"]}" ]'),
             'both.': (b.tls, f'{by_name}, tls-pins: "{files.pins["good"]}"'), 'key.': (b.tls, f'{by_name}, keys: {KEY}'),
             'mutual.': (b.mutual, f'{by_name}, {ours}'), 'signet.': (s.tls, f'{by_name}, {ours}'),
             'signed.': (s.tls, f'{by_name}, keys: {KEY}'), 'any.': (s.tls, f'tls-hostname: 127.0.0.1, tls-ca: ca.pem')}
    d = secondary(t, 'secondary', zones, port)
    where = {z: s if z in ('signet.', 'signed.', 'any.') else b for z in zones}
    for z, p in where.items():
        equal(t, 'AXFR', d, p, z)
    for z, p in where.items():
        secondary_test.update(p, z, [('add', 'changed 60 TXT yes'), ('delete', 'host1 A')])
    for z, p in where.items():
        equal(t, 'NOTIFY, and IXFR', d, p, z)
        t.check(f'IXFR of {z}', f'zone={z} primary=' in d.log() and re.search(f'zone={re.escape(z)} primary=r[0-9]* kind=IXFR', d.log()), d.log()[-1000:])
    # An update that is passed on takes the same way.
    u = dns.update.UpdateMessage('any.')
    u.add('forwarded.any.', 60, 'TXT', 'yes')
    r = dns.query.udp(u, '127.0.0.1', port=d.port, timeout=10)
    t.check('an update is passed on over TLS', r.rcode() == 0 and d.log().count('transfer-failed') == 0, d.log()[-1000:])
    equal(t, 'an update that was passed on', d, s, 'any.')
    return d, b, s


def with_nsd(t, files):
    """NSD 4.6 does not say that it speaks DNS (ALPN), so by RFC 9103 §7.1 it is none to transfer from; one that does is."""
    p = nsd(t)
    peer.wait_for(p.is_up, 'answer from nsd')
    d = secondary(t, 'of-nsd', {'nsd.': (p.tls, f'tls-hostname: {NAME}, tls-ca: ca.pem')})
    peer.wait_for(lambda: 'transferred' in d.log() or 'failed' in d.log(), 'a transfer from NSD')
    out = peer.run('openssl', 's_client', '-connect', f'127.0.0.1:{p.tls}', '-alpn', 'dot', stdin=b'')[1]
    if 'ALPN protocol: dot' in out:
        equal(t, 'of NSD', d, p, 'nsd.')
    else:
        t.check('of NSD: no ALPN', 'No ALPN negotiated' in out and 'does not say that it is DNS' in d.log(), out + d.log()[-500:])
    d.stop()
    p.stop()


# --- signetd as primary ---------------------------------------------------------------------------

def clients(t, s, files):
    for program, options in (('dig', [f'+tls-ca={t.path("ca.pem")}', f'+tls-hostname={NAME}']),
                             ('kdig', [f'+tls-ca={t.path("ca.pem")}', f'+tls-hostname={NAME}']), ('kdig', [f'+tls-pin={files.pins["good"]}'])):
        for zone in ('any.', 'signed.'):
            key = ['-y', f'hmac-sha256:{KEY}:{SECRET}'] if zone == 'signed.' else []
            code, out = peer.run(program, '@127.0.0.1', '-p', str(s.tls), '+tls', *options, *key, zone, 'AXFR')
            t.check(f'{program} {options[0][:10]} AXFR of {zone}', code == 0 and out.count('SOA') >= 2 and 'host3' in out, out[-500:])
    code, out = peer.run('dig', '@127.0.0.1', '-p', str(s.tls), '+tls', 'signet.', 'AXFR')
    t.check('dig without a certificate', 'Transfer failed' in out, out)
    code, out = peer.run('dig', '@127.0.0.1', '-p', str(s.tls), '+tls', f'+tls-certfile={t.path("ours.pem")}', f'+tls-keyfile={t.path("ours.key")}',
                         f'+tls-ca={t.path("ca.pem")}', f'+tls-hostname={NAME}', 'signet.', 'AXFR')
    t.check('dig with a certificate', 'host3' in out, out)


def connections(t, s):
    """A zone goes over TLS 1.3 with ALPN alone (RFC 9103 §7.1, §7.2); everything else over any."""
    for version, alpn, rcode in ((ssl.TLSVersion.TLSv1_3, True, 0), (ssl.TLSVersion.TLSv1_3, False, 5), (ssl.TLSVersion.TLSv1_2, True, 5)):
        c = ssl.create_default_context(cafile=t.path('ca.pem'))
        c.minimum_version = c.maximum_version = version
        if alpn:
            c.set_alpn_protocols(['dot'])
        for rdtype in ('AXFR', 'IXFR', 'SOA'):
            with c.wrap_socket(socket.create_connection(('127.0.0.1', s.tls), timeout=10), server_hostname=NAME) as k:
                k.sendall(peer.frame(make_query('any.', rdtype, 1)))
                r = peer.read_message(k)
                t.check(f'{version.name} {alpn} {rdtype}', r.rcode() == (rcode if rdtype != 'SOA' else 0), r.to_text()[:500])


def secondaries(t, s):
    """BIND and NSD get zones from us over TLS, BIND with a certificate of its own (NSD 4.6 does not show the one that it is told)."""
    os.makedirs(t.path('named2'), exist_ok=True)
    port = peer.free_port()
    rows = ''.join(f'''zone "{z}" {{ type secondary; file "{t.path('named2', z)}db"; primaries {{ 127.0.0.1 port {s.tls} {key} tls us; }}; }};
''' for z, key in (('any.', ''), ('signet.', ''), ('signed.', f'key "{KEY}"')))
    b = peer.Daemon(t, ['named', '-g', '-n', '1', '-c', t.write('named2.conf', f'''
tls us {{ ca-file "{t.path('ca.pem')}"; remote-hostname "{NAME}"; cert-file "{t.path('ours.pem')}"; key-file "{t.path('ours.key')}"; }};
key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
options {{ directory "{t.path('named2')}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no; session-keyfile none; empty-zones-enable no; }};
controls {{ }};
{rows}''')], port, t.path('named2.log'))
    peer.wait_for(b.is_up, 'answer from named')
    for z in ('any.', 'signet.', 'signed.'):
        equal(t, 'BIND as secondary', b, s, z)
    os.makedirs(t.path('nsd2'), exist_ok=True)
    port = peer.free_port()
    n = peer.Daemon(t, ['nsd', '-d', '-c', t.write('nsd2.conf', f'''server:
  ip-address: 127.0.0.1@{port}
  tls-cert-bundle: "{t.path('ca.pem')}"
  username: ""
  chroot: ""
  zonesdir: "{t.path('nsd2')}"
  database: ""
  pidfile: ""
  xfrdfile: "{t.path('nsd2', 'xfrd')}"
  xfrdir: "{t.path('nsd2')}"
  zonelistfile: "{t.path('nsd2', 'list')}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
tls-auth:
  name: us
  auth-domain-name: {NAME}
key:
  name: "{KEY}"
  algorithm: hmac-sha256
  secret: "{SECRET}"
zone:
  name: "any."
  zonefile: "any"
  request-xfr: 127.0.0.1@{s.tls} NOKEY us
zone:
  name: "signed."
  zonefile: "signed"
  request-xfr: 127.0.0.1@{s.tls} {KEY} us
''')], port, t.path('nsd2.log'))
    peer.wait_for(n.is_up, 'answer from nsd')
    for z in ('any.', 'signed.'):
        equal(t, 'NSD as secondary', n, s, z)


# --- servers that are not the right ones ----------------------------------------------------------

class Fake(secondary_test.Fake):
    """A primary of z. over TLS, with the certificate and habits that it is told."""

    def __init__(self, t):
        self.t = t
        self.set('good')
        self.serial = 1
        super().__init__(lambda fake, q: secondary_test.whole(self.serial)(fake, q))

    def set(self, file, alpn=('dot',), version=None, ca=None, plain=None):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(self.t.path(f'{file}.pem'), self.t.path(f'{file}.key'))
        if alpn:
            c.set_alpn_protocols(alpn)
        if version:
            c.maximum_version = version
        if ca:
            c.load_verify_locations(self.t.path(ca))
            c.verify_mode = ssl.CERT_REQUIRED
        self.context, self.plain = c, plain

    def serve(self, c):
        if self.plain:
            self.plain(self, c)
            return
        try:
            c = self.context.wrap_socket(c, server_side=True)
        except (ssl.SSLError, OSError):
            c.close()
            return
        super().serve(c)


def speaks_plainly(fake, c):
    secondary_test.Fake.serve(fake, c)


def closes(fake, c):
    c.recv(1000)
    c.close()


def garbage(fake, c):
    c.recv(1000)
    try:
        c.sendall(os.urandom(20000))
    except OSError:
        pass
    c.close()


DATE = r'[A-Z][a-z]{2} [A-Z][a-z]{2} .\d \d\d:\d\d:\d\d \d{4}'
VOUCH = 'no authority in .*ca.pem vouches for: '


def wrong(t, files):
    """Each begins with the right server, which then is another one while it has something new; and then the right one again."""
    by_name = f'tls-hostname: {NAME}, tls-ca: ca.pem'
    by_pin = f'tls-pins: "{files.pins["good"]}"'
    both = f'{by_name}, {by_pin}'
    pin_of = lambda file: re.escape(files.pins[file])
    cases = [
        ('another name', by_name, dict(file='other'), r'shows a certificate for "ns9.example", and not for its tls-hostname "ns1.example"'),
        ('many names', by_name, dict(file='many'), r'shows a certificate for "x0.example x1.example .*, and not for its tls-hostname'),
        ('expired', by_name, dict(file='old'), f'shows a certificate that expired on {DATE} UTC'),
        ('too early', by_name, dict(file='early'), f'shows a certificate that is not valid before {DATE} UTC'),
        ('of nobody', by_name, dict(file='self'), f'shows a certificate that {VOUCH}self.signed certificate .*CN = ns1.example'),
        ('another pin', by_pin, dict(file='other'), f'shows a key with the pin {pin_of("other")}, which is none of its tls-pins'),
        ('another pin, right name', both, dict(file='self'), f'shows a key with the pin {pin_of("self")}'),
        ('right pin, another name', f'tls-hostname: ns3.example, tls-ca: ca.pem, {by_pin}', None, 'shows a certificate for "ns1.example"'),
        ('no ALPN', by_name, dict(file='good', alpn=None), r'does not say that it is DNS'),
        ('another ALPN', by_name, dict(file='good', alpn=('h2',)), r'(not DNS|does not say that it is DNS)'),
        ('TLS 1.2', by_name, dict(file='good', version=ssl.TLSVersion.TLSv1_2), 'does not speak TLS 1.3'),
        ('no TLS', by_name, dict(file='good', plain=speaks_plainly), '(does not speak TLS at this port|does not answer|closes the connection)'),
        ('closes', by_name, dict(file='good', plain=closes), '(closes the connection in the TLS handshake|Connection reset by peer)'),
        ('garbage', by_pin, dict(file='good', plain=garbage), '(does not speak TLS|Connection reset by peer)'),
        ('wants a certificate', by_name, dict(file='good', ca='ca.pem'), 'wants a certificate of ours; name it in tls-certificate'),
        ('wants another certificate', f'{by_name}, tls-certificate: ours.pem, tls-key: ours.key', dict(file='good', ca='self.pem'),
         'does not take our certificate'),
    ]
    fakes = [Fake(t) for _ in cases]
    # Each has the zone z., and so a signetd of its own.
    for (what, options, bad, reason), fake in zip(cases, fakes):
        d = secondary(t, what.replace(' ', '-'), {'z.': (fake.port, options)})
        if bad is None:
            peer.wait_for(lambda: 'transfer-failed' in d.log(), what)
            t.check(f'{what}: nothing', secondary_test.text_of(d) == 'SERVFAIL', secondary_test.text_of(d))
        else:
            secondary_test.reaches(t, f'{what}: the right one first', d, 1)
            fake.serial = 2
            asked = len(fake.asked)
            fake.set(**bad)
            secondary_test.notify(d, 'z.')
            peer.wait_for(lambda: 'transfer-failed' in d.log(), what)
            t.check(f'{what}: the old version stays', secondary_test.text_of(d) == '1')
            t.check(f'{what}: and no query was sent', len(fake.asked) == asked or what.startswith('wants'), str(fake.asked))
        line = [x for x in d.log().splitlines() if 'transfer-failed' in x][-1]
        t.check(f'{what}: the log says why', re.search(reason, line.replace('\\"', '"')), line)
        out = status(d, 'z.')
        t.check(f'{what}: so does status', re.search(reason, out), out)
        if bad is not None:
            fake.set('good')
            secondary_test.notify(d, 'z.')
            secondary_test.reaches(t, f'{what}: the right one again', d, 2)
        d.stop()
        fake.close()


def with_pin_alone(t, files):
    """Nothing but the key counts."""
    for file in ('old', 'self', 'other'):
        fake = Fake(t)
        fake.set(file)
        d = secondary(t, f'pin-{file}', {'z.': (fake.port, f'tls-pins: "{files.pins[file]}"')})
        secondary_test.reaches(t, f'by pin alone: {file}', d, 1)
        d.stop()
        fake.close()


# --- files ----------------------------------------------------------------------------------------

def reloads(t, files):
    """Authorities and certificates are read at each reload."""
    fake = Fake(t)
    fake.set('self')
    t.write('trust.pem', open(t.path('ca.pem')).read())
    d = secondary(t, 'reloads', {'z.': (fake.port, f'tls-hostname: {NAME}, tls-ca: trust.pem')})
    peer.wait_for(lambda: 'transfer-failed' in d.log(), 'no transfer')
    t.write('trust.pem', open(t.path('self.pem')).read())
    peer.reload(d)
    secondary_test.reaches(t, 'another authority, and a reload', d, 1)
    t.write('trust.pem', 'nothing\n')
    fake.serial = 2
    peer.reload(d)
    secondary_test.notify(d, 'z.')
    peer.wait_for(lambda: 'cannot be asked over TLS' in d.log(), 'a reason')
    out = status(d, 'z.')
    t.check('a file that is none', 'trust.pem: there is no certificate in it' in out and secondary_test.text_of(d) == '1', out)
    t.check('is said at the reload', 'tls-finding' in d.log(), d.log()[-500:])
    code, out = peer.ours('signet-checkconf', d.config)
    t.check('and by signet-checkconf', code == 1 and 'remote r0: ' in out and 'there is no certificate in it' in out, out)
    t.write('trust.pem', open(t.path('self.pem')).read())
    peer.reload(d)
    secondary_test.reaches(t, 'mended, and a reload', d, 2)
    d.stop()
    fake.close()


def main():
    with peer.Test('xot') as t:
        files = Files(t)
        d, b, s = transfers_in(t, files)
        clients(t, s, files)
        connections(t, s)
        secondaries(t, s)
        d.stop()
        with_nsd(t, files)
        with_pin_alone(t, files)
        wrong(t, files)
        reloads(t, files)


if __name__ == '__main__':
    main()
