#!/usr/bin/env python3
"""Programs that change zones by themselves: lego and certbot prove domains to a certificate authority, Kea's DDNS
server registers what it gives leases to."""
import json
import os
import socket
import struct

import dns.rcode
import dns.rdatatype
import acme
import peer
import updating

ZONE = '''$TTL 60
@ SOA ns host 1 3600 900 1209600 1
@ NS ns
ns A 127.0.0.1
'''
REVERSE = '2.0.192.in-addr.arpa.'


def lookup(server, name, rdtype):
    r = server.ask(name, rdtype, dnssec=False, tcp=True)
    return [rd for rrset in r.answer if rrset.rdtype == dns.rdatatype.from_text(rdtype) for rd in rrset]


def texts(server, name):
    return [b''.join(rd.strings).decode() for rd in lookup(server, name, 'TXT')]


def run(environment, *args):
    return peer.run('env', *(f'{k}={v}' for k, v in environment.items()), *args, timeout=100)


def check_proof(t, server, ca, program, domain, status, output):
    t.check(f'{program} succeeds', status == 0, output)
    owner = f'_acme-challenge.{domain}.'
    seen = ca.proofs.get(owner, [])
    t.check(f'{program} was asked twice', len(seen) == 2, seen)
    t.check(f'{program} left nothing behind', server.ask(owner, 'TXT').rcode() == dns.rcode.NXDOMAIN,
            texts(server, owner))
    return seen


def check_lego(t, server, ca):
    domain = 'lego.test'
    environment = {'LEGO_CA_CERTIFICATES': ca.root_file, 'RFC2136_NAMESERVER': f'127.0.0.1:{server.port}',
                   'RFC2136_TSIG_KEY': updating.KEY, 'RFC2136_TSIG_SECRET': updating.SECRET,
                   'RFC2136_TSIG_ALGORITHM': 'hmac-sha256.', 'RFC2136_PROPAGATION_TIMEOUT': '10',
                   'RFC2136_POLLING_INTERVAL': '1', 'RFC2136_SEQUENCE_INTERVAL': '1'}
    status, output = run(environment, 'lego', '--server', ca.url, '--path', t.path('lego'), '--email', 'a@lego.test',
                         '--accept-tos', '--domains', domain, '--domains', f'*.{domain}', '--dns', 'rfc2136',
                         '--dns.resolvers', f'127.0.0.1:{server.port}', '--dns.disable-cp', 'run')
    check_proof(t, server, ca, 'lego', domain, status, output)
    t.check('lego has its certificate', os.path.exists(t.path('lego', 'certificates', f'{domain}.crt')), output)


def check_certbot(t, server, ca):
    domain = 'certbot.test'
    credentials = t.write('certbot.ini', f'''dns_rfc2136_server = 127.0.0.1
dns_rfc2136_port = {server.port}
dns_rfc2136_name = {updating.KEY}
dns_rfc2136_secret = {updating.SECRET}
dns_rfc2136_algorithm = HMAC-SHA256
''')
    os.chmod(credentials, 0o600)
    folders = [w for n in ('config', 'work', 'logs') for w in (f'--{n}-dir', t.path('certbot', n))]
    status, output = run({'REQUESTS_CA_BUNDLE': ca.root_file}, 'certbot', 'certonly', '-n', '--agree-tos',
                         '--register-unsafely-without-email', '--server', ca.url, *folders, '--dns-rfc2136',
                         '--dns-rfc2136-credentials', credentials, '--dns-rfc2136-propagation-seconds', '0',
                         '-d', domain, '-d', f'*.{domain}')
    seen = check_proof(t, server, ca, 'certbot', domain, status, output)
    t.check('certbot had two TXT at one name', all(len(s) == 2 for s in seen), seen)


class Kea:
    """Kea's DDNS server, told of leases as its DHCP servers do."""

    def __init__(self, t, server):
        self.port = peer.free_port()
        zone = {'key-name': updating.KEY, 'dns-servers': [{'ip-address': '127.0.0.1', 'port': server.port}]}
        config = t.write('kea.json', json.dumps({'DhcpDdns': {
            'ip-address': '127.0.0.1', 'port': self.port, 'dns-server-timeout': 5000,
            'tsig-keys': [{'name': updating.KEY, 'algorithm': 'HMAC-SHA256', 'secret': updating.SECRET}],
            'forward-ddns': {'ddns-domains': [{'name': 'kea.test.', **zone}]},
            'reverse-ddns': {'ddns-domains': [{'name': REVERSE, **zone}]},
            'loggers': [{'name': 'kea-dhcp-ddns', 'severity': 'INFO', 'output_options': [{'output': 'stderr'}]}]}}))
        os.environ.update(KEA_PIDFILE_DIR=t.dir, KEA_LOCKFILE_DIR=t.dir)
        self.daemon = peer.Daemon(t, ['kea-dhcp-ddns', '-c', config], self.port, t.path('kea.log'))
        peer.wait_for(lambda: 'DHCP_DDNS_STARTED' in self.daemon.log(), 'start of Kea')

    def tell(self, change, name, address, identity):
        """A name change request: its length, and JSON."""
        text = json.dumps({'change-type': change, 'forward-change': True, 'reverse-change': True, 'fqdn': name,
                           'ip-address': address, 'dhcid': identity, 'lease-expires-on': '20300101000000',
                           'lease-length': 1200, 'use-conflict-resolution': True}).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(struct.pack('!H', len(text)) + text, ('127.0.0.1', self.port))


def check_kea(t, server):
    kea = Kea(t, server)
    name, address, pointer = 'lease.kea.test.', '192.0.2.7', f'7.{REVERSE}'
    identity, other = '000101' + '11' * 32, '000101' + '22' * 32

    def has(rdtype, *wanted):
        return [rd.to_text() for rd in lookup(server, pointer if rdtype == 'PTR' else name, rdtype)] == list(wanted)

    def becomes(what, condition):
        try:
            peer.wait_for(condition, what, 10)
            t.check(what, True)
        except RuntimeError:
            t.check(what, False, kea.daemon.log()[-1500:])

    kea.tell(0, name, address, identity)
    becomes('Kea adds a lease', lambda: has('A', address) and len(lookup(server, name, 'DHCID')) == 1)
    becomes('Kea adds the way back', lambda: has('PTR', name))
    kea.tell(0, name, '192.0.2.8', identity)
    becomes('Kea moves a lease', lambda: has('A', '192.0.2.8'))
    kea.tell(0, name, '192.0.2.9', other)
    becomes('Kea is told that the name is another\'s', lambda: 'DHCP_DDNS_FORWARD_ADD_REJECTED' in kea.daemon.log() or
            'ADD_FAILED' in kea.daemon.log())
    t.check('and the name stays', has('A', '192.0.2.8'))
    kea.tell(1, name, '192.0.2.8', identity)
    becomes('Kea takes a lease away', lambda: server.ask(name, 'A').rcode() == dns.rcode.NXDOMAIN)
    kea.tell(1, name, address, identity)
    becomes('Kea takes the way back away', lambda: not lookup(server, pointer, 'PTR'))


def main():
    with peer.Test('update_clients') as t:
        zones = {'lego.test.': 'default', 'certbot.test.': 'hashed', 'kea.test.': 'default', REVERSE: None}
        server = updating.signetd(t, {zone: (ZONE, policy) for zone, policy in zones.items()})
        ca = acme.Authority(t, lambda name: texts(server, name))
        try:
            check_lego(t, server, ca)
            check_certbot(t, server, ca)
        finally:
            ca.stop()
        check_kea(t, server)


if __name__ == '__main__':
    main()
