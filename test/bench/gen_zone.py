#!/usr/bin/env python3
"""Writes a zone for measurements: delegations, as a top-level domain has them, or hosts with addresses."""
import argparse
import random
import sys

LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'


def label(r):
    return ''.join(r.choices(LETTERS, k=r.randint(5, 15)))


def delegation(out, r, name, ds_share):
    host = r.randint(1, 5000)
    out.write(f'{name}\t86400\tIN\tNS\tns1.host{host}.net.\n{name}\t86400\tIN\tNS\tns2.host{host}.net.\n')
    if r.random() < ds_share:
        out.write(f'{name}\t86400\tIN\tDS\t{r.randint(1, 65535)} 13 2 {r.getrandbits(256):064X}\n')


def host(out, r, name):
    """An address, often more: 1.3 records a name."""
    out.write(f'{name}\t3600\tIN\tA\t192.0.{r.randint(0, 255)}.{r.randint(0, 255)}\n')
    if r.random() < 0.2:
        out.write(f'{name}\t3600\tIN\tAAAA\t2001:db8::{r.randint(0, 65535):x}:{r.randint(0, 65535):x}\n')
    if r.random() < 0.06:
        out.write(f'{name}\t3600\tIN\tMX\t10 mail{r.randint(1, 5000)}.example.net.\n')
    if r.random() < 0.04:
        out.write(f'{name}\t3600\tIN\tTXT\t"v=spf1 include:host{r.randint(1, 5000)}.example.net -all"\n')


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('names', type=int, help='how many')
    p.add_argument('--ds', type=int, default=30, help='percentage of delegations that have a DS record (30)')
    p.add_argument('--hosts', action='store_true', help='hosts instead of delegations')
    p.add_argument('--origin', default='tld', help='name of the zone (tld)')
    o = p.parse_args()
    r = random.Random(7)
    out = sys.stdout
    out.write(f'$ORIGIN {o.origin}.\n$TTL 86400\n@ IN SOA ns1.nic host.nic 1 1800 900 604800 3600\n'
              '@ IN NS ns1.nic\n@ IN NS ns2.nic\nns1.nic IN A 192.0.2.1\nns2.nic IN A 192.0.2.2\n')
    names = set()
    while len(names) < o.names:
        names.add(label(r))
    for name in sorted(names):
        if o.hosts:
            host(out, r, name)
        else:
            delegation(out, r, name, o.ds / 100)


if __name__ == '__main__':
    main()
