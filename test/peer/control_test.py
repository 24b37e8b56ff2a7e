#!/usr/bin/env python3
"""signetctl and signetd: what commands do and say, as text and JSON, exit status, misuse, who may ask, a server that
is not there, gone, or silent, and hostile clients of the socket."""
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.rcode
import peer

ZONE = '$TTL 60\n@ SOA ns h 1 2 3 4 5\n NS ns\nns A 127.0.0.1\n'
PROGRAM = os.path.join(peer.BIN, 'signetctl')


def ctl(*args, **more):
    """(status, output, errors)."""
    done = subprocess.run([PROGRAM, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, text=True, **more)
    return done.returncode, done.stdout, done.stderr


def serial_of(text):
    return ZONE.replace(' h 1 ', f' h {text} ')


class Suite:
    def __init__(self, t):
        self.t = t
        self.zone = t.write('zone', ZONE)
        t.write('nowhere', 'nonsense\n')
        self.server = peer.signetd(t, {'example.': self.zone, 'missing.test.': t.path('nowhere')})
        self.config = self.server.config

    def said(self, what, args, status, out='', err=''):
        """Each of out and err: a text that is in it; '': it is empty."""
        got = ctl('-c', self.config, *args)
        good = got[0] == status and all((want in is_) if want else not is_ for want, is_ in zip((out, err), got[1:]))
        self.t.check(what, good, got)
        return got

    def json(self, *args, status=0):
        code, out, err = ctl('-c', self.config, '--json', *args)
        self.t.check(f'{args}: one line of JSON, status {status}', code == status and out.count('\n') == 1 and not err,
                     (code, out, err))
        return json.loads(out)

    def rewrite(self, text):
        with open(self.zone, 'w') as f:
            f.write(text)

    def serial(self):
        return self.server.ask('example.', 'SOA').answer[0][0].serial


def status(s):
    answer = s.json('status')
    s.t.check('status: done', answer['status'] == 'done' and answer['message'] == '', answer)
    data = answer['data']
    s.t.check('status: this process', data['pid'] == s.server.process.pid and data['uptime-s'] < 60, data)
    s.t.check('status: its zones', (data['zones'], data['zones-ok'], data['zones-down']) == (2, 1, 1), data)
    version = ctl('--version')[1].split()[-1]
    s.t.check('status: its version', data['version'] == version, data)
    s.said('status as text', ['status'], 0, f'version: {version}\npid: {s.server.process.pid}\nstarted: 20')
    data = s.json('status', 'example')['data']
    s.t.check('status of a zone', (data['zone'], data['state'], data['serial'], data['records'], data['signed']) ==
              ('example.', 'ok', 1, 3, False) and data['file'] == s.zone and 'reason' not in data, data)
    data = s.json('status', 'MISSING.test')['data']
    s.t.check('status of a zone that is down', data['state'] == 'down' and 'serial' not in data and
              s.t.path('nowhere') in data['reason'], data)
    s.said('status of no zone', ['status', 'other.test'], 1, '', 'signetctl: there is no zone other.test')
    s.said('status of no name', ['status', 'a..b'], 2, '', 'signetctl: ')
    answer = s.json('status', 'other.test', status=1)
    s.t.check('as JSON', answer['status'] == 'failed' and 'no zone other.test' in answer['message'], answer)


def zones(s):
    s.said('zones', ['zones'], 0, 'zone           state  serial  records  signed\n'
           'example.       ok     1       3        no\nmissing.test.  down   -       -        -\n')
    listed = s.json('zones')['data']['zones']
    s.t.check('as JSON', [z['zone'] for z in listed] == ['example.', 'missing.test.'], listed)


def signed_zone(s):
    source = s.t.write('signed-source', ZONE)
    keys, _ = peer.generate_keys(s.t, 'signed.test.')
    signed = peer.sign(s.t, 'signed.test.', source, keys, '-u')
    server = peer.signetd(s.t, {'signed.test.': signed}, name='signed')
    data = json.loads(server.ctl('--json', 'status', 'signed.test')[1])['data']
    s.t.check('a signed zone', data['signed'] is True and data['denial'] == 'nsec' and data['state'] == 'ok', data)
    until = server.ask('signed.test.', 'SOA').answer[1][0].expiration
    expected = subprocess.run(['date', '-u', '-d', f'@{until}', '+%Y-%m-%dT%H:%M:%SZ'], stdout=subprocess.PIPE,
                              text=True).stdout.strip()
    s.t.check('until when', data['signed-until'] == expected, (data, expected))
    peer.sign(s.t, 'signed.test.', source, keys, '-u', '-s', 'now-1h', '-e', 'now+2', output=signed)
    answer = server.ctl('reload', 'signed.test')
    s.t.check('a new one', answer[0] == 0, answer)
    peer.wait_for(lambda: 'state: expired\n' in server.ctl('status', 'signed.test')[1], 'end of the signatures')
    server.stop()


def kept_zone(s):
    """One that the server signs: jobs load it."""
    source = s.t.write('kept-source', ZONE)
    os.makedirs(s.t.path('database/keys'))
    config = s.t.write('kept.yaml', f'server:\n  listen: 127.0.0.1@{peer.free_port()}\n  control: {s.t.path("kept.control")}\n'
                       f'  database: {s.t.path("database")}\nzones:\n  - name: kept.test\n    file: {source}\n    dnssec: default\n')
    server = peer.Daemon(s.t, [os.path.join(peer.BIN, 'signetd'), '-c', config], 0, s.t.path('kept.log'))
    server.config = config
    peer.wait_for(lambda: server.ctl('status')[0] == 0, 'answer on the control socket')

    def told():
        return json.loads(server.ctl('--json', 'status', 'kept.test')[1])['data']

    before = told()
    s.t.check('a zone that the server signs', before['state'] == 'ok' and before['signed'] and before['denial'] == 'nsec',
              (before, server.log()[-1000:]))
    s.t.write('kept-source', ZONE.replace('127.0.0.1', '127.0.0.2') + 'more A 127.0.0.3\n')
    got = server.ctl('reload', 'kept.test')
    s.t.check('reload begins', got[0] == 0 and got[1].startswith('the zone file is being read'), got)
    peer.wait_for(lambda: told()['records'] > before['records'], 'the new record')
    s.t.check('the serial moves', told()['serial'] > before['serial'], (before, told()))
    s.t.write('kept-source', 'nonsense\n')
    server.ctl('reload', 'kept.test')
    peer.wait_for(lambda: told()['state'] == 'stale', 'mark of the zone')
    s.t.check('there is a reason', 'reason' in told())
    s.t.check('stops', server.ctl('stop')[:2] == (0, 'stopped\n') and server.process.wait(20) == 0, server.log()[-1000:])
    s.t.forget(server)


def reload(s):
    s.said('unchanged', ['reload', 'example.'], 0, 'the zone file has not changed\nzone: example.\nstate: ok\nserial: 1\n')
    s.rewrite(serial_of(22))
    s.said('reload of a zone', ['reload', 'example'], 0, 'zone: example.\nstate: ok\nserial: 22\n')
    s.t.check('is served when it is told', s.serial() == 22)
    s.t.check('is logged with who asked', f'notice command name=reload argument=example uid={os.geteuid()}' in s.server.log(),
              s.server.log()[-500:])
    s.rewrite('nonsense\n')
    s.said('a bad file', ['reload', 'example'], 1, '', f'signetctl: {s.zone}:1')
    s.said('is said later too', ['status', 'example'], 0, f'reason: {s.zone}:1')
    s.said('and that the old version is served', ['status', 'example'], 0, 'state: stale\nserial: 22\n')
    s.rewrite(serial_of(23))
    code, out, err = s.said('reload of all', ['reload'], 1, '', 'not all zones could be loaded')
    s.t.check('which are counted', 'zones: 2\nfailed: 1\n' in err, err)
    s.t.check('the others are loaded', s.serial() == 23)
    s.said('no reason is left', ['status', 'example'], 0, 'state: ok\nserial: 23\n')


def approve(s):
    """A zone file that is cut off is held back until somebody says that it is meant so; in a zone that is served as it is
    in its file. (Those that have keepers: orders_test.)"""
    whole = serial_of(24) + ''.join(f'n{i} A 192.0.2.1\n' for i in range(400))
    s.rewrite(whole)
    s.said('the whole file', ['reload', 'example'], 0, 'serial: 24\n')
    s.said('nothing waits', ['approve', 'example'], 1, '', 'nothing waits for approval')
    s.rewrite('\n'.join(whole.replace(' h 24 ', ' h 25 ').split('\n')[:140]) + '\n')
    s.said('a file that was cut off', ['reload', 'example'], 1, '', 'records, more than zones.max-removed (50%)')
    removed = [line for line in s.server.log().splitlines() if 'zone-held' in line][-1]
    s.t.check('is held, with the numbers', re.search(r'zone=example. removed=2\d\d records=402 limit=50% ', removed), removed)
    s.t.check('and the old version is served', s.serial() == 24)
    data = s.json('status', 'example')['data']
    s.t.check('status says so', data['state'] == 'held' and 'of 402 records' in data['reason'], data)
    s.t.check('and counts it', s.json('status')['data']['zones-held'] == 1)
    s.said('a reload of all does not let it through', ['reload'], 1, '', 'not all zones')
    s.t.check('it is held still', s.serial() == 24)
    s.said('approved', ['approve', 'example'], 0, 'state: ok\nserial: 25\n')
    s.t.check('it is served', s.serial() == 25)
    s.rewrite(whole.replace(' h 24 ', ' h 26 '))
    s.said('whole again', ['reload', 'example'], 0, 'serial: 26\n')
    s.rewrite(serial_of(27))
    s.said('no approval for another file', ['reload', 'example'], 1, '', 'zones.max-removed')
    s.said('but once more', ['approve', 'example'], 0, 'serial: 27\n')
    s.rewrite(serial_of(23))
    s.said('back', ['reload', 'example'], 0, 'serial: 23\n')
    s.said('no such zone', ['approve', 'none.test'], 1, '', 'there is no zone none.test')


def reconfig(s):
    good = open(s.config).read()
    other = s.t.write('other', ZONE)
    s.rewrite(serial_of(30))
    with open(s.config, 'w') as f:
        f.write(good.replace(f'  - name: "missing.test."\n    file: {s.t.path("nowhere")}\n', '') +
                f'  - name: other.test\n    file: {other}\n')
    s.said('reconfig', ['reconfig'], 0, 'zones: 2\nfailed: 0\n')
    s.t.check('a zone is added', s.server.ask('other.test.', 'SOA').rcode() == dns.rcode.NOERROR)
    s.t.check('a zone is gone', s.server.ask('missing.test.', 'SOA').rcode() == dns.rcode.REFUSED)
    s.t.check('the changed file of another was not read', s.serial() == 23)
    s.said('reload does', ['reload'], 0, 'zones: 2\n')
    s.t.check('and it is served', s.serial() == 30)
    socket_path = s.t.path('signetd.control')
    with open(s.config, 'w') as f:
        f.write(good + 'wrong: yes\n')
    for command in ('reload', 'reconfig'):
        code, out, err = ctl('-s', socket_path, command)
        s.t.check(f'{command} with a bad configuration', code == 1 and not out and f'{s.config}:' in err and
                  'unknown key "wrong"' in err and 'stays as it was' in err, (code, out, err))
    out = ctl('-s', socket_path, 'status')[1]
    s.t.check('status knows', 'reload-failed: ' in out and 'zones: 2\n' in out, out)
    code, out, err = ctl('-c', s.config, 'status')
    s.t.check('signetctl cannot use it either', code == 2 and 'unknown key' in err and 'with -s' in err, err)
    with open(s.config, 'w') as f:
        f.write(good)
    s.said('mended', ['reload'], 1, '', 'not all zones')
    s.t.check('status has forgotten', 'reload-failed' not in s.json('status')['data'])
    data = s.json('stats')['data']
    s.t.check('stats', data['zones'] == 2 and data['records'] == 3 and 1 << 20 < data['memory'] <= data['memory-most'] and
              data['zones-signed'] == 0, data)


def misuse(s):
    s.said('no command', [], 2, '', 'found no command')
    s.said('a wrong one', ['reloda'], 2, '', 'there is no command "reloda"; did you mean reload?')
    s.said('too many arguments', ['stop', 'now'], 2, '', 'found 1 argument, expected: stop')
    s.said('end of line', ['status', 'a\nb'], 2, '', 'end of a line')
    s.said('long', ['status', 'a' * 5000], 2, '', 'too many')
    s.said('a wrong option', ['--nonsense', 'status'], 2, '', '--help')
    s.said('a wrong time', ['--timeout', 'soon', 'status'], 2, '', 'expected a time')
    s.said('help', ['help'], 0, 'status [ZONE]\n        How')
    s.said('help of one', ['help', 'stop'], 0, 'stop\n        Answer')
    s.said('help of none', ['help', 'stopp'], 2, '', 'did you mean stop?')
    s.said('no configuration', ['-c', s.t.path('none.yaml'), 'status'], 2, '', 'none.yaml')
    empty = s.t.write('empty.yaml', 'server: { control: "" }\n')
    s.said('no socket', ['-c', empty, 'status'], 2, '', 'server.control is empty')


def unreached(s):
    path = s.t.path('dead')
    s.said('no server', ['-s', path, 'status'], 3, '', 'does signetd run')
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        s.said('a dead server', ['-s', path, 'status'], 3, '', 'signetd has ended')
        listener.listen(8)
        s.said('a silent one', ['-s', path, '--timeout', '1', 'status'], 3, '', 'no answer in time')

        def close_one(reply):
            for _ in range(2):  # the first is that of the silent one
                c = listener.accept()[0]
            c.recv(100)
            c.sendall(reply)
            c.close()

        for reply in (b'', b'0', b'0 5\nabcd', b'0 5\nabcdef', b'3 0\n', b'0 x\n', b'0 5 \nabcde', b'\n'):
            t = threading.Thread(target=close_one, args=(reply,))
            t.start()
            s.said(f'an answer {reply}', ['-s', path, 'status'], 3, '', 'ended before it had answered')
            t.join()
            threading.Thread(target=lambda: socket.socket(socket.AF_UNIX).connect(path)).run()
    s.said('long path', ['-s', '/' + 'x' * 200, 'status'], 3, '', 'too long')


def permissions(s):
    mode = os.stat(s.t.path('signetd.control'))
    s.t.check('for owner and group alone', stat.S_IMODE(mode.st_mode) == 0o660, oct(mode.st_mode))
    if os.geteuid() != 0:
        print('control: not root: other users are left out')
        return
    os.makedirs(s.t.path('run'))
    os.chown(s.t.path('run'), 65534, 65534)
    server = peer.signetd(s.t, {'example.': s.zone}, name='nobody',
                          extra=f'  user: nobody\n  group: daemon\n  control: {s.t.path("run/control")}')
    mode = os.stat(s.t.path('run/control'))
    group = int(peer.must('getent', 'group', 'daemon').split(':')[2])
    s.t.check('belongs to user and group', (mode.st_uid, mode.st_gid) == (65534, group), mode)
    copy = shutil.copy(PROGRAM, s.t.path('signetctl'))  # where it was built, others may not look

    def as_user(*options):
        return peer.run('setpriv', *options, copy, '-s', s.t.path('run/control'), 'status')

    got = as_user('--reuid=65534', '--regid=65534', '--clear-groups')
    s.t.check('the user may ask', got[0] == 0, got)
    got = as_user('--reuid=12345', f'--regid={group}', '--clear-groups')
    s.t.check('the group may ask', got[0] == 0, got)
    got = as_user('--reuid=12345', '--regid=12345', '--clear-groups')
    s.t.check('others may not', got[0] == 3 and 'only server.user, server.group and root' in got[1], got)
    server.stop()
    s.t.check('the socket is removed', not os.path.exists(s.t.path('run/control')))


def in_the_way(s):
    """The socket of a living server, of one that was killed, and a default that cannot be had."""
    path = s.t.path('shared')
    extra = f'  control: {path}'
    first = peer.signetd(s.t, {'example.': s.zone}, name='first', extra=extra)
    config = s.t.write('second.yaml', f'server:\n  listen: 127.0.0.1@{peer.free_port()}\n{extra}\n')
    got = peer.ours('signetd', '-c', config, timeout=30)
    s.t.check('a living server keeps its socket', got[0] == 1 and
              f'{path}: another server answers there, process {first.process.pid};' in got[1], got)
    s.t.check('and goes on', first.ctl('status')[0] == 0)
    first.process.kill()
    first.process.wait()
    s.t.forget(first)
    again = peer.signetd(s.t, {'example.': s.zone}, name='again', extra=extra)
    s.t.check('that of a dead one is replaced', again.ctl('status')[0] == 0)
    again.stop()
    s.t.write('shared', '')
    got = peer.ours('signetd', '-c', config, timeout=30)
    s.t.check('a file stays', got[0] == 1 and 'is no socket' in got[1] and os.path.exists(path), got)
    nowhere = s.t.write('nowhere.yaml', f'server:\n  listen: 127.0.0.1@{peer.free_port()}\n'
                        f'  control: {s.t.path("nowhere/control")}\n')
    got = peer.ours('signetd', '-c', nowhere, timeout=30)
    s.t.check('no directory', got[0] == 1 and 'server.control: ' in got[1], got)
    none = peer.signetd(s.t, {'example.': s.zone}, name='none', extra='  control: ""')
    s.t.check('none', 'control-skipped' not in none.log() and none.ctl('status')[0] == 2)
    none.stop()
    if os.path.exists('/run/signet'):
        print('control: /run/signet is there: the default is left out')
        return
    wish = peer.signetd(s.t, {'example.': s.zone}, name='wish', extra='  control: /run/signet/control')
    s.t.check('the default is a wish', 'control-skipped reason="/run/signet/control: cannot make a socket' in wish.log(),
              wish.log())
    wish.stop()


def hostile(s):
    """The server stays, and answers others, whatever one says on the socket."""
    path = s.t.path('signetd.control')
    data = [b'', b'\n', b'\0' * 4096, b'\xff' * 100000, b'text\0status\0\n' * 1000, b'json\0reload\0' + b'\xff\xfe\0\n',
            b'text\0' + b'a\0' * 63 + b'\n', b'text\0' + b'a\0' * 64 + b'\n', b'text\0\0\n', b'text\0status\0\xc3\x28\0\n']
    for octets in data:
        with socket.socket(socket.AF_UNIX) as c:
            c.connect(path)
            try:
                c.sendall(octets)
                c.shutdown(socket.SHUT_WR)
                while c.recv(65536):
                    pass
            except OSError:
                pass
        s.t.check(f'after {octets[:20]}', ctl('-s', path, 'status')[0] == 0)
    code, out, err = ctl('-s', path, '--json', 'status', b'\xc3\x28')
    s.t.check('JSON is UTF-8', code == 1 and '\\\\xC3' in out and json.loads(out), (code, out, err))
    silent = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for c in silent:
        c.connect(path)
    s.t.check('silent clients are cut off in the end', ctl('-s', path, 'status')[0] == 0)
    for c in silent:
        c.close()


def many(s):
    """Commands at the same time, and queries meanwhile."""
    bad = []

    def ask():
        for _ in range(20):
            got = ctl('-c', s.config, '--json', 'zones')
            if got[0] != 0 or len(json.loads(got[1])['data']['zones']) != 2:
                bad.append(got)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        if s.server.ask('example.', 'SOA').rcode() != dns.rcode.NOERROR:
            bad.append('query')
    s.t.check('many at a time', not bad, bad[:2])


def stop(s):
    path = s.t.path('signetd.control')
    with socket.socket(socket.AF_INET) as idle:  # a connection that the server waits for
        idle.connect(('127.0.0.1', s.server.port))
        code, out, err = ctl('-c', s.config, 'stop')
    s.t.check('stop', (code, out, err) == (0, 'stopped\n', ''), (code, out, err))
    with socket.socket(socket.AF_INET) as again:  # nothing listens any more
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            again.bind(('127.0.0.1', s.server.port))
            s.t.check('the port is free', True)
        except OSError as e:
            s.t.check('the port is free', False, e)
    s.t.check('ends well', s.server.process.wait(20) == 0, s.server.log()[-1000:])
    s.t.check('the socket is gone', not os.path.exists(path))
    s.t.check('is logged', f'server-stopping uid={os.geteuid()}' in s.server.log(), s.server.log()[-500:])
    s.t.forget(s.server)
    server = peer.signetd(s.t, {'example.': s.zone}, name='term')
    s.t.check('SIGTERM as well', server.stop(signal.SIGTERM) == 0 and not os.path.exists(s.t.path('term.control')))


def main():
    with peer.Test('control') as t:
        s = Suite(t)
        for part in (status, zones, signed_zone, kept_zone, reload, approve, reconfig, misuse, unreached, permissions, in_the_way, hostile, many,
                     stop):
            part(s)


main()
