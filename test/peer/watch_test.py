#!/usr/bin/env python3
"""Zone files that signetd watches (server.watch, zones.watch): loaded by themselves when they have changed, written in the
place or replaced, of zones that are served as they are and of zones with a keeper."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer
import updating

ZONE = '''$TTL 300
@    SOA ns h 1 7200 3600 86400 300
     NS  ns
ns   A   127.0.0.1
'''


def has(server, name, rdtype='A'):
    return any(rs.rdtype == 1 for rs in server.ask(name, rdtype).answer)


def write(path, text):
    """Bit by bit, and never ready for a moment."""
    with open(path, 'w') as f:
        for line in text.splitlines(keepends=True):
            f.write(line)
            f.flush()
            time.sleep(0.01)


def replace(path, text):
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)


def reread(server, config, text):
    with open(config, 'w') as f:
        f.write(text)
    peer.reload(server)


def main():
    with peer.Test('watch') as t:
        s = updating.signetd(t, {'plain.': (ZONE, None), 'signed.': (ZONE, 'default')}, extra='  watch: yes\n')
        config = t.path('signetd.yaml')
        text = open(config).read()
        for zone in ('plain.', 'signed.'):
            path = t.path(f'{zone}zone')
            for what, put in (('written', write), ('replaced', replace)):
                put(path, ZONE + f'{what} A 192.0.2.1\n')
                peer.wait_for(lambda: has(s, f'{what}.{zone}'), f'{zone} whose file was {what}')
                t.check(f'{zone} {what}: is loaded', True)
            replace(path, 'nonsense\n')
            before = s.log().count('zone-finding')
            peer.wait_for(lambda: s.log().count('zone-finding') > before, f'word on the broken file of {zone}')
            t.check(f'{zone} broken: the old version stays', has(s, f'replaced.{zone}'))
            replace(path, ZONE + 'mended A 192.0.2.1\n')
            peer.wait_for(lambda: has(s, f'mended.{zone}'), f'{zone} mended')
            t.check(f'{zone} mended: is loaded', not has(s, f'replaced.{zone}'))
        t.check('nothing half written was read', s.log().count('zone-finding') == 2, s.log())
        # Of one zone alone; and of none.
        reread(s, config, text.replace('  watch: yes\n', '').replace('  - name: signed.\n', '  - name: signed.\n    watch: yes\n'))
        replace(t.path('plain.zone'), ZONE + 'later A 192.0.2.1\n')
        replace(t.path('signed.zone'), ZONE + 'later A 192.0.2.1\n')
        peer.wait_for(lambda: has(s, 'later.signed.'), 'the zone that is watched')
        t.check('the other is not', not has(s, 'later.plain.'))
        s.process.send_signal(signal.SIGHUP)
        peer.wait_for(lambda: has(s, 'later.plain.'), 'the other, by SIGHUP')
        reread(s, config, text.replace('  watch: yes\n', ''))
        replace(t.path('signed.zone'), ZONE + 'last A 192.0.2.1\n')
        peer.reload(s)
        peer.wait_for(lambda: has(s, 'last.signed.'), 'what a reload reads')
        t.check('no file is watched now', 'file-changed' not in s.log().rsplit('reload-started', 1)[1])


main()
