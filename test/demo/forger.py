#!/usr/bin/env python3
"""A forger on loopback: stands between a resolver and a name server. It passes everything on, but for one name
it puts its own address into the answer - what an attacker does who wins the race for one query."""
import socket
import sys

import dns.message
import dns.rdatatype
import dns.rrset

FORGED = '203.0.113.66'


def main():
    port, server, victim = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.bind(('127.0.0.1', port))
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.settimeout(2)
    while True:
        query, client = inside.recvfrom(4096)
        outside.sendto(query, ('127.0.0.1', server))
        try:
            answer = outside.recv(65535)
        except socket.timeout:
            continue
        message = dns.message.from_wire(answer)
        for i, rrset in enumerate(message.answer):
            if rrset.rdtype == dns.rdatatype.A and rrset.name.to_text() == victim:
                message.answer[i] = dns.rrset.from_text(rrset.name, rrset.ttl, 'IN', 'A', FORGED)
                answer = message.to_wire()
        inside.sendto(answer, client)


main()
