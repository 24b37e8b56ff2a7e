"""A signetd whose zones take updates signed with one key."""
import base64
import os

import dns.rdatatype
import dns.tsigkeyring
import peer

KEY = 'updater.'
SECRET = base64.b64encode(b'update_test, 32 octets in length').decode()
KEY_ARGUMENT = f'hmac-sha256:{KEY}:{SECRET}'


def signetd(test, zones, extra=''):
    """Serves {zone: (text of its file, policy or None)}; "hashed" is a policy with NSEC3, "by-hand" one that makes no keys."""
    port = peer.free_port()
    test.write('updater.key', f'key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
    os.makedirs(test.path('database'), exist_ok=True)
    text = f'''server:
  listen: [ 127.0.0.1@{port}, "::1@{port}" ]
  database: {test.path('database')}
{extra}keys:
  - name: {KEY}
    algorithm: hmac-sha256
    secret: {SECRET}
policies:
  - name: hashed
    denial: nsec3
  - name: by-hand
    auto-generate: no
zones:
'''
    for zone, (content, policy) in zones.items():
        path = test.write(f'{zone}zone', content)
        text += f'  - name: {zone}\n    file: {path}\n    allow-update: [ "key {KEY}" ]\n'
        if policy is not None:
            text += f'    dnssec: {policy}\n'
    config = test.write('signetd.yaml', text)
    d = peer.Daemon(test, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, test.path('signetd.log'))
    d.key_file = test.path('updater.key')
    d.keyring = dns.tsigkeyring.from_text({KEY: SECRET})
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


def anchors(server, zones):
    """Trust anchors: the keys that are there."""
    lines = []
    for zone in zones:
        for rrset in server.ask(zone, 'DNSKEY', tcp=True).answer:
            if rrset.rdtype == dns.rdatatype.DNSKEY:
                lines += [f'{zone} DNSKEY {rd.to_text()}' for rd in rrset if rd.flags & 1]
    return lines
