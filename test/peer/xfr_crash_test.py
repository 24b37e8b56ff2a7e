#!/usr/bin/env python3
"""kill -9 of a secondary at random points in a stream of incoming transfers, IXFR and AXFR, of a zone that is served as it comes
and of one that it signs: it comes back with what it had published last, or later, and catches up.

CRASHES=100: how many kills."""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.exception
import dns.query
import dns.update
import peer
import transfers
from transfers import content, serial_of, transfer, zone_text

CRASHES = int(os.environ.get('CRASHES', '10'))
SEED = int(os.environ.get('SEED', '1'))
ZONES = ['plain.', 'signed.']
NAMES = 2000  # so that all of it takes some time


class Stream(threading.Thread):
    """One change after the other at the primary."""

    def __init__(self, primary):
        super().__init__(daemon=True)
        self.primary, self.count, self.stopped, self.fault = primary, 0, False, None

    def run(self):
        r = random.Random(SEED)
        try:
            while not self.stopped:
                for z in ZONES:
                    owner = f'changing{r.randrange(50)}'
                    what = ('delete', owner) if r.random() < 0.3 else ('add', f'{owner} 60 A 192.0.2.{r.randrange(250)}')
                    transfers.update(self.primary, z, [what, ('add', f'count 60 TXT {self.count}')])
                    self.count += 1
        except Exception as e:
            self.fault = e

    def stop(self):
        self.stopped = True
        self.join()


def secondary(t, port, primary):
    os.makedirs(t.path('s.db'), exist_ok=True)
    config = t.write('s.yaml', f'''server:
  listen: 127.0.0.1@{port}
  database: {t.path('s.db')}
  control: "{t.path('s.control')}"
remotes: [ {{ name: primary, addresses: 127.0.0.1, port: {primary} }} ]
zones:
  - {{ name: plain., primaries: primary, allow-transfer: any }}
  - {{ name: signed., primaries: primary, allow-transfer: any, dnssec: default }}
''')
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path('s.log'))
    d.config = config
    return d


def look(d, zone):
    """The serial, None while there is no answer."""
    try:
        return serial_of(d, zone)
    except (OSError, dns.exception.DNSException):
        return None


def main():
    with peer.Test('xfr_crash') as t:
        r = random.Random(SEED)
        port = peer.free_port()
        primary = transfers.signetd(t, {z: (zone_text(z, names=NAMES), None) for z in ZONES}, 'primary',
                                    more_zone=f'    notify: secondary\n',
                                    more=f'remotes: [ {{ name: secondary, addresses: 127.0.0.1, port: {port} }} ]\n')
        ours = secondary(t, port, primary.port)
        for z in ZONES:
            peer.wait_for(lambda: look(ours, z) is not None, f'{z} for the first time')
        stream = Stream(primary)
        stream.start()
        wrong, moved = [], 0
        last = {z: look(ours, z) for z in ZONES}
        for i in range(CRASHES):
            end = time.monotonic() + r.random() * 0.6
            whole = r.choice(ZONES + [None])
            if whole:
                peer.ours('signetctl', '-c', ours.config, 'retransfer', whole)
            before = dict(last)
            while time.monotonic() < end:
                for z in ZONES:
                    serial = look(ours, z)
                    if serial is None or serial < last[z]:
                        wrong.append(f'{i}: {z} {serial} after {last[z]}')
                    else:
                        last[z] = serial
            moved += sum(last[z] > before[z] for z in ZONES)
            ours.stop(9)
            ours = transfers.again(t, ours)
            for z in ZONES:
                peer.wait_for(lambda: look(ours, z) is not None, f'{z} after kill {i}')
                serial = look(ours, z)
                if serial < last[z]:
                    wrong.append(f'{i}: {z} came back with {serial}, had {last[z]}')
                last[z] = max(serial, last[z])
        stream.stop()
        t.check(f'{CRASHES} kills: nothing goes back', not wrong, wrong[:5])
        t.check('changes came between', moved > CRASHES // 2, moved)
        t.check('the primary took them', stream.fault is None and stream.count > CRASHES, f'{stream.fault} {stream.count}')
        peer.wait_for(lambda: look(ours, 'plain.') == look(primary, 'plain.'), 'the last change', 30)
        peer.wait_for(lambda: content(ours, 'signed.') == content(primary, 'signed.'), 'the last change of the signed zone', 30)
        t.check('it caught up', transfer(ours, 'plain.').zone() == transfer(primary, 'plain.').zone())
        path = t.path('signed.check')
        ours.transfer('signed.', path)
        for command in (['ldns-verify-zone', path], [os.path.join(peer.BIN, 'signet-verifyzone'), path]):
            status, said = peer.run(*command)
            t.check(f'{os.path.basename(command[0])} accepts it', status == 0, said[-500:])
        transfers.end(t, ours)
        transfers.end(t, primary)
        print(f'xfr_crash: {CRASHES} kills, {stream.count} changes at the primary, serials moved {moved} times between')


main()
