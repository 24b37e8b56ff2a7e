#!/usr/bin/env python3
"""Reloading under load: clients ask over UDP and TCP all the while, the zone is signed anew and SIGHUP is
sent many times; every query is answered, the serial moves. Bad files and bad configurations change nothing."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.rcode
import peer
from peer import reload

RELOADS = 50
CLIENTS = 3
ZONE = peer.ZONE + '*.w A 192.0.2.1\n'
QUESTIONS = (('www.example.', dns.rcode.NOERROR), ('nope.example.', dns.rcode.NXDOMAIN),
             ('a.w.example.', dns.rcode.NOERROR))


class Clients:
    """Threads that ask without pause and note what is not answered rightly."""

    def __init__(self, server):
        self.server, self.answered, self.bad, self.done = server, 0, [], False
        self.threads = [threading.Thread(target=self.ask) for _ in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def ask(self):
        while not self.done:
            for name, rcode in QUESTIONS:
                for tcp in (False, True):
                    try:
                        r = self.server.ask(name, 'A', tcp=tcp, timeout=10)
                        if r.rcode() != rcode:
                            self.bad.append((name, tcp, dns.rcode.to_text(r.rcode())))
                        self.answered += 1
                    except Exception as e:
                        self.bad.append((name, tcp, repr(e)))

    def stop(self):
        self.done = True
        for t in self.threads:
            t.join()


def serial(server):
    return server.ask('example.', 'SOA').answer[0][0].serial


def under_load(t, server, source, keys):
    clients = Clients(server)
    seen = {serial(server)}
    for i in range(RELOADS):
        text = ZONE.replace(' h 1 ', f' h {100 + i} ')
        with open(source, 'w') as f:
            f.write(text)
        peer.sign(t, 'example.', source, keys, *(('-3', '-', '-u') if i % 2 else ('-u',)))
        reload(server)
        seen.add(serial(server))
    clients.stop()
    t.check('every query is answered', not clients.bad, clients.bad[:3])
    t.check('queries went on meanwhile', clients.answered > RELOADS, clients.answered)
    t.check('the serial moves with each reload', len(seen) == RELOADS + 1, len(seen))


def bad_zone(t, server, signed):
    before = serial(server)
    good = open(signed).read()
    with open(signed, 'w') as f:
        f.write('this is no zone\n')
    reload(server)
    t.check('a bad zone file keeps the old version', serial(server) == before)
    t.check('and the log says so', 'zone-failed' in server.log(), server.log()[-500:])
    with open(signed, 'w') as f:
        f.write(good)
    reload(server)
    t.check('a mended one is loaded', serial(server) == before and 'zone-loaded' in server.log()[-600:])


def other_zones(t, server, signed):
    other = t.write('other', '$TTL 60\n@ SOA ns.example. h 7 2 3 4 5\n NS ns.example.\n')
    text = open(server.config).read()
    with open(server.config, 'w') as f:
        f.write(text + f'  - name: other.test\n    file: {other}\n')
    t.check('not served before', server.ask('other.test.', 'SOA').rcode() == dns.rcode.REFUSED)
    reload(server)
    t.check('a zone is added', server.ask('other.test.', 'SOA').rcode() == dns.rcode.NOERROR)
    with open(server.config, 'w') as f:
        f.write(text + 'zones: nonsense\n')
    reload(server, 'reload-failed')
    t.check('a bad configuration changes nothing', server.ask('other.test.', 'SOA').rcode() == dns.rcode.NOERROR)
    t.check('and the log says so', 'reload-failed' in server.log())
    with open(server.config, 'w') as f:
        f.write(text)
    reload(server)
    t.check('a zone is taken out', server.ask('other.test.', 'SOA').rcode() == dns.rcode.REFUSED)


def main():
    with peer.Test('reload') as t:
        keys, _ = peer.generate_keys(t, 'example.')
        source = t.write('zone', ZONE)
        signed = peer.sign(t, 'example.', source, keys)
        server = peer.signetd(t, {'example.': signed})
        under_load(t, server, source, keys)
        bad_zone(t, server, signed)
        other_zones(t, server, signed)
        t.check('signetd ends well', server.stop() == 0, server.log()[-2000:])
        t.check('no data race', 'ThreadSanitizer' not in server.log(), server.log()[server.log().find('WARNING: Thread'):][:4000])


main()
