#!/usr/bin/env python3
"""Clients that are known by their certificates over TLS (server.tls-client-ca, rules with "tls NAME"): dig, kdig and Python's ssl
for transfers and updates, BIND as secondary; certificates of strangers; authorities that change."""
import base64
import os
import socket
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import peer
from certificates import NAME, certificate, pem, write_key
from cryptography.hazmat.primitives.asymmetric import ec
from peer import frame, read_message, reload

SECRET = base64.b64encode(b'0123456789abcdef0123456789abcdef').decode()
NOERROR, REFUSED = dns.rcode.NOERROR, dns.rcode.REFUSED


class Files:
    """The server's pair, and NAME.pem with NAME.key for clients, of the operator's authority and of another."""

    def __init__(self, t):
        self.t = t
        self.new = lambda: ec.generate_private_key(ec.SECP256R1())
        self.authorities = {}
        for name in ('root', 'office', 'stranger'):
            key = self.new()
            self.authorities[name] = certificate(name, key, is_ca=True), key
            t.write(f'{name}.pem', pem(self.authorities[name][0]))
        t.write('authority.pem', pem(self.authorities['office'][0]))
        self.make('server', 'root', (NAME,))
        for name in ('host', 'bad', 'ns2', 'ns3'):
            self.make(name, 'office', (f'{name}.example',))
        self.make('two', 'office', ('nobody.example', 'HOST.example'))
        self.make('wild', 'office', ('*.example',))
        self.make('false', 'stranger', ('host.example',))
        self.make('old', 'office', ('host.example',), days=(-30, -1))

    def make(self, name, by, names, **more):
        key = self.new()
        # The common name, which says nothing, is that of one who may.
        self.t.write(f'{name}.pem', pem(certificate('host.example', key, *self.authorities[by], names=names, **more)))
        write_key(self.t, f'{name}.key', key)


def serve(t):
    port, tls_port = peer.free_port(), peer.free_port()
    config = t.write('signetd.yaml', f'''server:
  listen: 127.0.0.1@{port}
  listen-tls: 127.0.0.1@{tls_port}
  tls-certificate: server.pem
  tls-key: server.key
  tls-client-ca: authority.pem
  tls-handshakes: 0
  database: db
  control: control
keys:
  - {{ name: k.example, secret: "{SECRET}" }}
remotes:
  - {{ name: ns3, tls-names: ns3.example, keys: k.example }}
zones:
  - name: example.
    file: {t.write('zone', peer.ZONE)}
    allow-update: [ tls host.example, deny tls bad.example, 192.0.2.0/24, remote ns3 ]
    allow-transfer: [ tls ns2.example, remote ns3 ]
''')
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path('signetd.log'))
    d.config, d.tls_port = config, tls_port
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


# --- a client -------------------------------------------------------------------------------------

def context(t, who, version=None):
    c = ssl.create_default_context(cafile=t.path('root.pem'))
    if who:
        c.load_cert_chain(t.path(f'{who}.pem'), t.path(f'{who}.key'))
    if version:
        c.minimum_version = c.maximum_version = version
    return c


def connect(t, d, who, version=None):
    s = socket.create_connection(('127.0.0.1', d.tls_port), timeout=5)
    return context(t, who, version).wrap_socket(s, server_hostname=NAME)


def update(text, key=False):
    more = {'keyring': dns.tsigkeyring.from_text({'k.example.': SECRET}), 'keyalgorithm': 'hmac-sha256.'} if key else {}
    u = dns.update.Update('example.', **more)
    u.add('x', 60, 'TXT', text)
    return u


def send(s, u):
    s.sendall(frame(u))
    wire = peer.read_wire(s)
    return wire[3] & 15 if wire else None


def outcome(t, d, who, u, version=None):
    """The rcode of an update; None: the client is not served."""
    try:
        with connect(t, d, who, version) as s:
            return send(s, u)
    except (ssl.SSLError, ConnectionError):
        return None


# --- who may --------------------------------------------------------------------------------------

def updates(t, d):
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        for who, rcode in (('host', NOERROR), ('two', NOERROR), (None, REFUSED), ('ns2', REFUSED), ('wild', REFUSED),
                           ('bad', REFUSED), ('ns3', REFUSED), ('false', None), ('old', None)):
            got = outcome(t, d, who, update(f'by-{who}'), version)
            t.check(f'{version.name}: update by {who}', got == rcode, got)
        got = outcome(t, d, 'ns3', update('by-both', key=True), version)
        t.check(f'{version.name}: a remote with key and certificate', got == NOERROR, got)
        got = outcome(t, d, None, update('by key', key=True), version)
        t.check(f'{version.name}: a remote without certificate', got == REFUSED, got)
    got = dns.query.tcp(update('by TCP'), '127.0.0.1', port=d.port, timeout=5).rcode()
    t.check('update without TLS', got == REFUSED, got)
    there = {rd.strings[0].decode() for rs in d.ask('x.example.', 'TXT', dnssec=False).answer for rd in rs}
    t.check('what was refused is not there', there == {'by-host', 'by-two', 'by-both'}, there)
    t.check('the log says by whom', 'tls=host.example.' in d.log(), d.log()[-800:])
    with connect(t, d, 'host') as s:
        got = [send(s, update(f'{i}')) for i in range(5)]
        t.check('several on one connection', got == [NOERROR] * 5, got)


def sessions(t, d):
    """Who comes back with a ticket is who it was."""
    for who, rcode in (('host', NOERROR), (None, REFUSED)):
        c = context(t, who, ssl.TLSVersion.TLSv1_2)
        with c.wrap_socket(socket.create_connection(('127.0.0.1', d.tls_port), timeout=5), server_hostname=NAME) as s:
            send(s, update('first'))
            session = s.session
        with c.wrap_socket(socket.create_connection(('127.0.0.1', d.tls_port), timeout=5), server_hostname=NAME,
                           session=session) as s:
            got = send(s, update('again'))
            t.check(f'{who} with a ticket', s.session_reused and got == rcode, (s.session_reused, got))


def queries(t, d):
    for who in ('host', 'wild', None):
        with connect(t, d, who) as s:
            s.sendall(frame(peer.query()))
            t.check(f'a query by {who}', read_message(s).rcode() == 0)


# --- transfers ------------------------------------------------------------------------------------

def transfers(t, d):
    with_files = lambda who: (f'+tls-certfile={t.path(who)}.pem', f'+tls-keyfile={t.path(who)}.key') if who else ()
    for tool in ('kdig', 'dig'):
        for who, good in (('ns2', True), ('host', False), (None, False)):
            status, out = peer.run(tool, '@127.0.0.1', '-p', str(d.tls_port), f'+tls-ca={t.path("root.pem")}', f'+tls-hostname={NAME}',
                                   *with_files(who), 'example.', 'AXFR', timeout=30)
            t.check(f'{tool}: AXFR by {who}', ('192.0.2.1' in out) == good, out)
    status, out = peer.run('dig', '@127.0.0.1', '-p', str(d.port), 'example.', 'AXFR')
    t.check('AXFR without TLS', '192.0.2.1' not in out, out)
    key = f'hmac-sha256:k.example:{SECRET}'
    for who, good in (('ns3', True), ('host', False)):
        status, out = peer.run('dig', '@127.0.0.1', '-p', str(d.tls_port), f'+tls-ca={t.path("root.pem")}', f'+tls-hostname={NAME}',
                               *with_files(who), '-y', key, 'example.', 'AXFR')
        t.check(f'AXFR with the key, by {who}', ('192.0.2.1' in out) == good, out)


def secondary(t, d):
    """BIND takes the zone over TLS with its own certificate (RFC 9103)."""
    port = peer.free_port()
    config = t.write('named/named.conf', f'''options {{ directory "{t.path('named')}"; listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }}; recursion no; pid-file none; session-keyfile none; notify no; }};
controls {{ }};
tls both {{ cert-file "{t.path('ns2.pem')}"; key-file "{t.path('ns2.key')}"; ca-file "{t.path('root.pem')}"; remote-hostname "{NAME}"; }};
zone example {{ type secondary; file "example"; primaries {{ 127.0.0.1 port {d.tls_port} tls both; }}; masterfile-format text; }};
''')
    named = peer.Daemon(t, ['named', '-g', '-c', config], port, t.path('named.log'))
    peer.wait_for(lambda: named.is_up() and named.ask('www.example.', 'A').answer, 'zone at BIND')
    t.check('BIND has the zone', 'AXFR ended' in named.log() or 'Transfer completed' in named.log(), named.log()[-1500:])
    named.stop()


# --- authorities that change ----------------------------------------------------------------------

def changes(t, d):
    with connect(t, d, 'host') as s:
        t.write('authority.pem', open(t.path('stranger.pem')).read())
        reload(d)
        got = outcome(t, d, 'host', update('x'))
        t.check('an authority that is not in the file any more', got is None, got)
        got = outcome(t, d, 'false', update('by another authority'))
        t.check('the one that is now', got == NOERROR, got)
        got = send(s, update('by an old connection'))
        t.check('a connection of before', got == NOERROR, got)
    t.write('authority.pem', 'nothing\n')
    reload(d)
    t.check('a broken file: the log says so', 'authority.pem: there is no certificate in it' in d.log() and 'tls-kept' in d.log())
    got = outcome(t, d, 'false', update('still'))
    t.check('a broken file: what was before stays', got == NOERROR, got)
    status, out = peer.ours('signet-checkconf', '-c', d.config)
    t.check('signet-checkconf says so', status == 1 and 'authority.pem: there is no certificate in it' in out, out)


def main():
    with peer.Test('tls_clients') as t:
        Files(t)
        d = serve(t)
        updates(t, d)
        sessions(t, d)
        queries(t, d)
        transfers(t, d)
        secondary(t, d)
        changes(t, d)


main()
