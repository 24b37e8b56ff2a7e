#!/usr/bin/env python3
"""EDNS as others see it: cookies that signetd, named and knotd take from each other, and keep through a roll-over; what
dig shows of NSID, EXPIRE, ZONEVERSION, keepalive and extended errors; class CH; rate limiting of real datagrams."""
import os
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.edns
import dns.flags
import dns.message
import dns.rcode
import peer
from peer import reload

OLD, NEW = 'e5e973e5a6b2a43f48e7dc849e37bfcf', '445536bcd2513298075a5d379663c962'
COOKIE, BADCOOKIE = 10, 23
CLIENT = b'CLIENTck'
ZONE = '''$ORIGIN example.
$TTL 300
@    SOA ns1 host 42 3600 900 1209600 300
     NS ns1
ns1  A 127.0.0.1
www  A 192.0.2.1
'''


def ask(server, name='www.example.', rdtype='A', options=(), edns=True, tcp=False, timeout=3):
    """None: silence."""
    q = dns.message.make_query(name, rdtype, use_edns=0 if edns else -1, options=list(options) if edns else None)
    wire = q.to_wire()
    try:
        if tcp:
            with socket.create_connection(('127.0.0.1', server.port), timeout=timeout) as s:
                s.sendall(struct.pack('!H', len(wire)) + wire)
                with s.makefile('rb') as f:
                    return dns.message.from_wire(f.read(struct.unpack('!H', f.read(2))[0]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(('127.0.0.1', server.port))
            s.settimeout(timeout)
            s.send(wire)
            return dns.message.from_wire(s.recv(65535))
    except OSError:
        return None


def ask_cookie(server, cookie, **more):
    return ask(server, options=[dns.edns.GenericOption(COOKIE, cookie)], **more)


def cookie_of(response):
    for option in response.options:
        if option.otype == COOKIE:
            return option.to_wire()
    return b''


def is_good(server, cookie):
    """Does signetd take it for its own? A query without question tells (RFC 7873 §5.4)."""
    q = struct.pack('!6H', 7, 0, 0, 0, 0, 1) + b'\0\0\x29' + struct.pack('!HIH', 1232, 0, 4 + len(cookie)) + \
        struct.pack('!HH', COOKIE, len(cookie)) + cookie
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(('127.0.0.1', server.port))
        s.settimeout(3)
        s.send(q)
        rcode = dns.message.from_wire(s.recv(65535)).rcode()
    return {0: True, BADCOOKIE: False}[int(rcode)]


def strict_named(t, path, secret):
    """named that answers over UDP only who has a good cookie."""
    port = peer.free_port()
    config = t.write('strict.conf', f'''options {{
  directory "{t.dir}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no; session-keyfile none; empty-zones-enable no;
  cookie-algorithm siphash24; cookie-secret "{secret}"; require-server-cookie yes;
}};
controls {{ }};
zone "example" {{ type primary; file "{path}"; }};
''')
    d = peer.Daemon(t, ['named', '-g', '-n', '1', '-c', config], port, t.path('strict.log'))
    peer.wait_for(d.is_up, 'answer from named')
    return d


def strict_knotd(t, path, secret):
    """knotd that says BADCOOKIE to each cookie that is not good."""
    port = peer.free_port()
    os.makedirs(t.path('strict-knot'), exist_ok=True)
    config = t.write('strict-knot.conf', f'''server:
    rundir: {t.path('strict-knot')}
    listen: 127.0.0.1@{port}
log:
  - target: stderr
    any: warning
database:
    storage: {t.path('strict-knot')}
mod-cookies:
  - id: strict
    secret: "0x{secret}"
    badcookie-slip: 1
template:
  - id: default
    storage: {t.dir}
    global-module: mod-cookies/strict
zone:
  - domain: example.
    file: {path}
''')
    d = peer.Daemon(t, ['knotd', '-c', config], port, t.path('strict-knot.log'))
    peer.wait_for(d.is_up, 'answer from knotd')
    return d


def cookies(t, zone):
    """A farm of three different servers with one secret."""
    secret = t.write('cookie.secret', f'# of the farm\n{OLD}\n')
    os.chmod(secret, 0o600)
    signet = peer.signetd(t, {'example.': zone}, extra=f'  cookie-secret: {secret}')
    farm = {'named': strict_named(t, zone, OLD), 'knotd': strict_knotd(t, zone, OLD)}
    ours = cookie_of(ask_cookie(signet, CLIENT))
    t.check('signetd gives a cookie', len(ours) == 24 and ours[:8] == CLIENT, ours)
    t.check('and knows it again', is_good(signet, ours) and not is_good(signet, ours[:-1] + b'x'))
    for name, server in farm.items():
        r = ask_cookie(server, ours)
        t.check(f'{name} takes our cookie', r.rcode() == 0 and r.answer, r)
        r = ask_cookie(server, ours[:-1] + bytes([ours[-1] ^ 1]))
        t.check(f'{name} would not take another', r.rcode() == BADCOOKIE, r)
        theirs = cookie_of(ask_cookie(server, CLIENT))
        t.check(f'we take the cookie of {name}', is_good(signet, theirs), theirs)
    # roll the secret
    for lines, state, makes in ((f'{OLD}\n{NEW}\n', True, OLD), (f'{NEW}\n{OLD}\n', True, NEW), (f'{NEW}\n', False, NEW)):
        t.write('cookie.secret', lines)
        reload(signet)
        t.check(f'the old cookie is {"" if state else "not "}good while the first secret is {makes[:4]}',
                is_good(signet, ours) == state)
    fresh = cookie_of(ask_cookie(signet, ours))
    t.check('the new secret makes cookies', is_good(signet, fresh) and fresh != ours)
    t.check('named, which has the old secret, does not know them', ask_cookie(farm['named'], fresh).rcode() == BADCOOKIE)
    t.write('cookie.secret', 'nonsense\n')
    reload(signet, 'reload-failed')
    t.check('a bad file of secrets is told, and the old secrets stay',
            is_good(signet, fresh) and 'cookie.secret: line 1' in signet.log(), signet.log()[-500:])
    for s in (signet, *farm.values()):
        s.stop()


def random_secret(t, zone):
    server = peer.signetd(t, {'example.': zone}, name='random')
    cookie = cookie_of(ask_cookie(server, CLIENT))
    reload(server)
    t.check('a random secret outlives a reload', is_good(server, cookie))
    server.stop()
    server = peer.signetd(t, {'example.': zone}, name='random')
    t.check('but not the server', not is_good(server, cookie))
    status, out = peer.run('dig', '+cookie', '+tries=1', '+timeout=3', '@127.0.0.1', '-p', str(server.port), 'www.example')
    t.check('dig finds the cookie good', '(good)' in out, out)
    server.stop()
    server = peer.signetd(t, {'example.': zone}, name='nocookies', extra='  cookies: no')
    t.check('no cookies where they are off', cookie_of(ask_cookie(server, CLIENT)) == b'')
    server.stop()


# dig's options: what has to be in its output
SHOWN = (
    (('+nsid', 'www.example'), r'NSID: .*\("?site-1"?\)'),
    (('+expire', 'SOA', 'example'), r'EXPIRE: 1209600'),
    (('+ednsopt=19', 'www.example'), r'OPT=19: 01 00 00 00 00 2a|ZONEVERSION: .*42'),
    (('+ednsopt=19:0100000007da', 'www.example'), r'status: FORMERR'),
    (('+tcp', '+keepalive', 'www.example'), r'TCP.KEEPALIVE: 7\.0'),
    (('+expire', 'NS', 'example'), r'^(?!(.|\n)*EXPIRE)(.|\n)*status: NOERROR'),
    (('+keepalive', 'www.example'), r'^(?!(.|\n)*KEEPALIVE)(.|\n)*status: NOERROR'),
    (('+tcp', '+padding=468', 'www.example'), r'^(?!(.|\n)*PAD)(.|\n)*status: NOERROR'),
    (('+norec', 'elsewhere.test'), r'status: REFUSED(.|\n)*EDE: 20'),
    (('+norec', 'broken.test'), r'status: SERVFAIL(.|\n)*EDE: 14'),
    (('+edns=1', '+noednsneg', 'www.example'), r'status: BADVERS'),
    (('CH', 'TXT', 'id.server'), r'id\.server\.\s+0\s+CH\s+TXT\s+"site 1"'),
    (('CH', 'TXT', 'version.bind'), r'version\.bind\.\s+0\s+CH\s+TXT\s+"none"'),
    (('www.example',), r'OPT=18: 05 61 67 65 6e 74 04 74 65 73 74 00|[Rr]eport-[Cc]hannel: agent\.test'),
)


def shown(t, zone):
    server = peer.signetd(t, {'example.': zone, 'broken.test.': t.write('broken.zone', 'nothing right\n')}, name='shown',
                          extra='  nsid: site-1\n  identity: site 1\n  version: none\n  tcp-idle-timeout: 7s\n'
                                '  report-channel: agent.test')
    for args, pattern in SHOWN:
        _, out = peer.run('dig', '+tries=1', '+timeout=3', '@127.0.0.1', '-p', str(server.port), *args)
        t.check(f'dig {" ".join(args)}', re.search(pattern, out), out)
    server.stop()


def stale(t):
    """A zone whose new file is broken is served from the old one, and says so."""
    zone = t.write('stale.zone', ZONE)
    server = peer.signetd(t, {'example.': zone}, name='stale')
    for text, what, told in ((ZONE, 'reload-done', False), (ZONE + 'www A nonsense\n', 'zone-failed', True),
                             (ZONE.replace(' 42 ', ' 43 '), 'reload-done', False)):
        t.write('stale.zone', text)
        reload(server)
        r = ask(server)
        t.check(f'answers, {"and says that the zone is stale" if told else "without a word"}', r.answer and
                any(o.otype == 15 for o in r.options) == told and what in server.log(), r)
    server.stop()


def rate_limit(t, zone):
    server = peer.signetd(t, {'example.': zone}, name='rrl',
                          extra='  workers: 1\n  rrl: { rate: 5, window: 1s, slip: 2 }')

    def flood(count, **more):
        """[as usual, TC, BADCOOKIE, none]"""
        got = [0, 0, 0, 0]
        for _ in range(count):
            r = ask(server, timeout=0.05, **more)
            got[3 if r is None else 2 if r.rcode() == BADCOOKIE else 1 if r.flags & dns.flags.TC else 0] += 1
        return got

    cookie = cookie_of(ask_cookie(server, CLIENT, tcp=True))
    got = flood(40)
    t.check('a flood is limited', got[0] < 25 and got[1] > 2 and got[3] > 2, got)
    got = flood(40, options=[dns.edns.GenericOption(COOKIE, CLIENT)])
    t.check('clients that may have a cookie are told', got[1] == 0 and got[2] > 2, got)
    got = flood(100, options=[dns.edns.GenericOption(COOKIE, cookie)])
    t.check('a good cookie is never limited', got[0] == 100, got)
    t.check('nor is TCP', all(ask(server, tcp=True).answer for _ in range(30)))
    server.stop()
    server = peer.signetd(t, {'example.': zone}, name='rrl-exempt',
                          extra='  workers: 1\n  rrl: { rate: 5, window: 1s, exempt: 127.0.0.0/8 }')
    got = flood(60)
    t.check('who is exempt is not limited', got[0] == 60, got)
    server.stop()


def main():
    with peer.Test('edns') as t:
        zone = t.write('example.zone', ZONE)
        cookies(t, zone)
        random_secret(t, zone)
        shown(t, zone)
        stale(t)
        rate_limit(t, zone)


main()
