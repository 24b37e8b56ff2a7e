#!/usr/bin/env python3
"""How signetd starts and ends: the process id file, also where the user that it became may not remove it, a
second server in the way, a machine without IPv6. What needs root says so where it has to be left out."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer

NOBODY = 65534
ZONE = '$TTL 60\n@ SOA ns h 1 2 3 4 5\n NS ns\nns A 127.0.0.1\n'


def pid_in(path):
    """What the file says: a number, '' when it is empty, None: there is no file."""
    if not os.path.exists(path):
        return None
    with open(path) as f:
        text = f.read().strip()
    return int(text) if text else ''


def start_and_stop(t, name, directory, owner, user, left):
    """@left: what the process id file holds after the end."""
    os.makedirs(directory)
    os.chown(directory, owner, owner)
    path = os.path.join(directory, 'pid')
    extra = f'  pid-file: {path}\n' + (f'  user: {user}\n' if user else '')
    server = peer.signetd(t, {'example.': t.path('zone')}, name=f'pid-{name}', extra=extra.rstrip())
    t.check(f'{name}: the file has the process id', pid_in(path) == server.process.pid, pid_in(path))
    t.check(f'{name}: ends well', server.stop() == 0, server.log())
    t.check(f'{name}: the file at the end', pid_in(path) == left, pid_in(path))
    return path


def pid_file(t):
    start_and_stop(t, 'own directory', t.path('own'), os.geteuid(), '', None)
    if os.geteuid() != 0:
        print('start: not root: changes of the user are left out')
        return
    start_and_stop(t, 'directory of the user', t.path('theirs'), NOBODY, 'nobody', None)
    path = start_and_stop(t, 'directory of root', t.path('roots'), 0, 'nobody', '')
    mode = os.stat(path)
    t.check('the file stays that of root', (mode.st_uid, mode.st_mode & 0o777) == (0, 0o644), mode)
    server = peer.signetd(t, {'example.': t.path('zone')}, name='again', extra=f'  pid-file: {path}')
    t.check('an empty file is written again', pid_in(path) == server.process.pid)
    server.stop()


def second_server(t):
    """It cannot have the port, and leaves the file of the first one alone."""
    path = t.path('pid')
    extra = f'  pid-file: {path}'
    first = peer.signetd(t, {'example.': t.path('zone')}, name='first', extra=extra)
    status, output = peer.ours('signetd', '-c', first.config, timeout=30)
    t.check('the port is taken', status == 1 and 'another server has this port' in output, output)
    t.check('the file is that of the first', pid_in(path) == first.process.pid, pid_in(path))
    other = peer.signetd(t, {'example.': t.path('zone')}, name='other', extra=extra)
    t.check('a server on another port takes the file', pid_in(path) == other.process.pid, pid_in(path))
    first.stop()
    t.check('and keeps it when the first ends', pid_in(path) == other.process.pid, pid_in(path))
    other.stop()
    t.check('nothing is left', pid_in(path) is None, pid_in(path))


def unwritable(t):
    config = t.write('unwritable.yaml', f'server:\n  listen: 127.0.0.1@{peer.free_port()}\n'
                     f'  pid-file: {t.path("nowhere/pid")}\n')
    status, output = peer.ours('signetd', '-c', config, timeout=30)
    t.check('no directory for the file', status == 1 and f'{t.path("nowhere/pid")}: cannot create' in output, output)


def minimal_responses(t):
    for value, expected in (('yes', 0), ('no', 1)):
        server = peer.signetd(t, {'example.': t.path('zone')}, name=value, extra=f'  minimal-responses: {value}')
        sets = len(server.ask('ns.example.', 'A').authority)
        t.check(f'minimal-responses: {value}', sets == expected, sets)
        server.stop()


def without_ipv6(t):
    """The default is all addresses: there, :: is only asked for where there is IPv6. An address that is written
    down has to be there. A network of its own, as port 53 may be taken here."""
    status, output = peer.run('unshare', '-n', 'true')
    if status != 0:
        print(f'start: no network namespace here, port 53 cannot be tried: {output.strip()}')
        return
    env = {**os.environ, 'FAULT': 'no-ipv6', 'LD_PRELOAD': t.path('fault.so')}
    env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
    zones = f'zones: [ {{ name: example, file: {t.path("zone")} }} ]\n'
    for name, listen, ipv6, status in (('default', '', True, 0), ('default', '', False, 0),
                                       ('explicit', 'server: { listen: [ 0.0.0.0, "::" ] }\n', True, 0),
                                       ('explicit', 'server: { listen: [ 0.0.0.0, "::" ] }\n', False, 1)):
        what = f'{name}, with{"" if ipv6 else "out"} IPv6'
        config = t.write('listen.yaml', listen + zones)
        server = subprocess.Popen(['unshare', '-n', os.path.join(peer.BIN, 'signetd'), '-c', config],
                                  env=os.environ if ipv6 else env, stderr=subprocess.PIPE)
        said = ''
        while 'server-started' not in said:
            line = server.stderr.readline().decode()
            if not line:
                break
            said += line
        server.send_signal(signal.SIGTERM)
        said += server.communicate(timeout=30)[1].decode()
        t.check(f'{what}: status', server.returncode == status, f'{server.returncode}: {said}')
        t.check(f'{what}: is served', ('server-started' in said) == (status == 0), said)
        if status == 0:
            t.check(f'{what}: warned once', said.count('listen-skipped address=::@53') == (not ipv6), said)
        else:
            t.check(f'{what}: the remedy', '::@53: cannot listen' in said and 'no IPv6; take it out of server.listen' in said,
                    said)


def main():
    with peer.Test('start') as t:
        peer.fault_library(t)
        t.write('zone', ZONE)
        pid_file(t)
        second_server(t)
        unwritable(t)
        minimal_responses(t)
        without_ipv6(t)


main()
