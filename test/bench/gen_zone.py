#!/usr/bin/env python3
"""Writes a zone of delegations, as a top-level domain has them: gen_zone.py NAMES [DS share in percent]."""
import random
import sys


def main():
    count = int(sys.argv[1])
    ds_share = int(sys.argv[2]) / 100 if len(sys.argv) > 2 else 0.3
    r = random.Random(7)
    out = sys.stdout
    out.write('$ORIGIN tld.\n$TTL 86400\n@ IN SOA ns1.nic.tld. host.nic.tld. 1 1800 900 604800 3600\n'
              '@ IN NS ns1.nic.tld.\n@ IN NS ns2.nic.tld.\nns1.nic IN A 192.0.2.1\nns2.nic IN A 192.0.2.2\n')
    names = set()
    while len(names) < count:
        names.add(''.join(r.choice('abcdefghijklmnopqrstuvwxyz0123456789') for _ in range(r.randint(5, 15))))
    for name in sorted(names):
        host = r.randint(1, 5000)
        out.write(f'{name}\t86400\tIN\tNS\tns1.host{host}.net.\n{name}\t86400\tIN\tNS\tns2.host{host}.net.\n')
        if r.random() < ds_share:
            out.write(f'{name}\t86400\tIN\tDS\t{r.randint(1, 65535)} 13 2 {r.getrandbits(256):064X}\n')


main()
