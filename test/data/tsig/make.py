#!/usr/bin/env python3
"""Makes vectors.txt with dnspython: a request and three messages of its response, as they are and as they are signed.

A line is: algorithm secret time request request-signed, then message message-signed three times; all in hex but the
first. The key is "Key.Example.".
"""
import os
import sys
import time

import dns.message
import dns.name
import dns.rrset
import dns.tsig

NOW = 1600000000
KEY = dns.name.from_text('Key.Example.')
HERE = os.path.dirname(os.path.abspath(__file__))

time.time = lambda: NOW


def message(number):
    m = dns.message.make_response(dns.message.make_query('example.', 'AXFR'))
    m.answer.append(dns.rrset.from_text(f'n{number}.example.', 300, 'IN', 'TXT', '"' + str(number) * 200 + '"'))
    m.id = 0x1234
    return m


def main():
    lines = []
    for name, size in (('hmac-md5', 16), ('hmac-sha1', 20), ('hmac-sha224', 28), ('hmac-sha256', 32),
                       ('hmac-sha384', 48), ('hmac-sha512', 64)):
        secret = bytes((7 * i + size) & 255 for i in range(size))
        algorithm = dns.name.from_text('hmac-md5.sig-alg.reg.int' if name == 'hmac-md5' else name)
        key = dns.tsig.Key(KEY, secret, algorithm)
        q = dns.message.make_query('Example.', 'AXFR')
        q.id = 0x1234
        row = [name, secret.hex(), f'{NOW:x}', q.to_wire().hex()]
        q.use_tsig(key, KEY, algorithm=algorithm)
        row.append(q.to_wire().hex())
        context = None
        for number in range(3):
            m = message(number)
            row.append(m.to_wire().hex())
            m.use_tsig(key, KEY, algorithm=algorithm)
            m.request_mac = q.mac
            row.append(m.to_wire(multi=True, tsig_ctx=context).hex())
            context = m.tsig_ctx
        lines.append(' '.join(row))
    with open(os.path.join(HERE, 'vectors.txt'), 'w') as f:
        f.write('\n'.join(lines) + '\n')


sys.exit(main())
