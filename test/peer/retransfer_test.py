#!/usr/bin/env python3
"""signetctl retransfer, notify and status of a zone that comes from a primary: also when its serial went backwards."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer

ZONE = '$ORIGIN example.\n$TTL 300\n@ SOA ns h %d 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.%d\n'


def start(t, name, port, control, zone, more=''):
    config = t.write(f'{name}.yaml', f'''server:
  listen: [ 127.0.0.1@{port} ]
  workers: 1
  database: {t.path(name + "-db")}
  control: {control}
{more}
zones: [ {zone} ]
''')
    return peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path(f'{name}.log'))


def main():
    with peer.Test('retransfer') as t:
        ports = peer.free_port(), peer.free_port()
        file = t.write('zone', ZONE % (10, 1))
        remotes = 'remotes: [ { name: other, addresses: 127.0.0.1, port: %d } ]'
        zone = f'{{ name: example, file: {file}, allow-transfer: any, notify: other }}'
        primary = start(t, 'primary', ports[0], t.path('p.ctl'), zone, remotes % ports[1])
        peer.wait_for(primary.is_up, 'the primary')
        secondary = start(t, 'secondary', ports[1], t.path('s.ctl'), '{ name: example, primaries: other }',
                          remotes % ports[0])
        peer.wait_for(secondary.is_up, 'the secondary')

        def ctl(which, *words):
            return peer.ours('signetctl', '-s', t.path(which + '.ctl'), *words)  # status, text

        def serial():
            answer = secondary.ask('example.', 'SOA').answer
            return answer[0][0].serial if answer else None

        def reaches(want, what):
            try:
                peer.wait_for(lambda: serial() == want, what)
            except RuntimeError as e:
                t.check(what, False, f'{e}\n{primary.log()[-2000:]}\n{secondary.log()[-2000:]}')

        reaches(10, 'the first transfer')
        status = ctl('s', 'status', 'example')[1]
        t.check('status tells of the next refresh and of the end', 'next-refresh' in status and 'expires' in status, status)

        t.write('zone', ZONE % (11, 2))
        done = ctl('p', 'reload', 'example')
        t.check('reload', done[0] == 0, done)
        reaches(11, 'the change, by NOTIFY')
        t.check('a notified change comes over', True)

        primary.stop()
        t.write('zone', ZONE % (5, 3))
        primary = start(t, 'primary', ports[0], t.path('p.ctl'), zone, remotes % ports[1])
        peer.wait_for(primary.is_up, 'the primary')
        done = ctl('p', 'notify', 'example')
        t.check('notify', done[0] == 0, done)
        t.check('an older serial is not taken by itself', serial() == 11, serial())

        done = ctl('s', 'retransfer', 'example')
        t.check('retransfer', done[0] == 0, done)
        reaches(5, 'the older serial')
        t.check('retransfer takes an older serial', True)
        t.check('and the content', secondary.ask('www.example.', 'A').answer[0][0].address == '192.0.2.3')
        done = ctl('p', 'retransfer', 'example')
        t.check('a primary has nothing to retransfer', done[0] == 1 and 'no primaries' in done[1], done)

        for words in ('freeze', 'example'), ('thaw', 'example'), ('sync', 'example'), ('rollback', 'example', '11'):
            done = ctl('s', *words)
            t.check(f'{words[0]} of what is not ours', done[0] == 1 and 'primaries' in done[1], done)
        copy = t.path('copy')
        t.check('a copy is written all the same', ctl('s', 'sync', 'example', copy)[0] == 0 and os.path.getsize(copy) > 0)
        done = ctl('s', 'sync')
        t.check('sync of all leaves it out', done[0] == 0, done)

        primary.stop()
        done = ctl('s', 'retransfer', 'example')
        peer.wait_for(lambda: 'transfer-failed' in ctl('s', 'status', 'example')[1], 'a reason in status')
        t.check('status says why a transfer fails', 'refused' in ctl('s', 'status', 'example')[1])
        t.check('the zone is served on', serial() == 5)
        secondary.stop()


main()
