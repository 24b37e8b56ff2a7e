"""What peer tests share: temporary directories, free loopback ports, daemons, and counting.

    with peer.Test('serve') as t:
        server = peer.signetd(t, {'example.': 'zone.signed'})
        t.check('answers', server.ask('www.example.', 'A').rcode() == 0)

Everything that was started is stopped by process id, and the directory is removed, also after a
failure or Ctrl-C. A program that is missing is a failure.
"""
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, '..', 'data')
BIN = os.path.abspath(os.environ.get('BIN', os.path.join(HERE, '../../build/release/bin')))
DEADLINE = 30  # seconds that anything may take to come up
ZONE = '''$ORIGIN example.
$TTL 60
@    SOA ns h 1 2 3 4 5
     NS  ns
ns   A   127.0.0.1
www  A   192.0.2.1
'''


class Test:
    """Counts checks, owns the directory and the daemons."""

    def __init__(self, topic):
        self.topic = topic
        self.passed = self.failed = 0
        self.daemons = []
        self.dir = None

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='signet-peer-')
        os.chmod(self.dir, 0o755)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return self

    def __exit__(self, kind, value, trace):
        for d in list(self.daemons):
            ended = d.process.poll()
            d.stop()
            if d.is_ours and ended is not None and ended != 0:
                self.check(f'{d.process.args[0]} goes on', False, f'status {ended}: {d.log()[-2000:]}')
        shutil.rmtree(self.dir, ignore_errors=True)
        if kind not in (None, SystemExit):
            print(f'{self.topic}: {kind.__name__}: {value}')
            self.failed += 1
        print(f'peer {self.topic}: {self.passed} passed, {self.failed} failed', flush=True)
        if kind is None:
            sys.exit(1 if self.failed else 0)
        return False

    def check(self, name, good, detail=''):
        """Counts one check; says what went wrong."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f'{self.topic}: {name}: FAILED {detail}', flush=True)
        return good

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def forget(self, daemon):
        self.daemons.remove(daemon)


def run(*args, timeout=120, cwd=None, stdin=None):
    """Runs a program to its end: (status, output and errors together)."""
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, input=stdin,
                          timeout=timeout)
    return done.returncode, done.stdout.decode(errors='replace')


def ours(name, *args, **more):
    """Runs one of our programs."""
    return run(os.path.join(BIN, name), *args, **more)


def must(*args, **more):
    """Runs a program that has to succeed; returns its output."""
    status, output = run(*args, **more)
    if status != 0:
        raise RuntimeError(f'{" ".join(args)}: status {status}: {output[-2000:]}')
    return output


def free_port():
    """A port that is free for UDP and TCP on both loopback addresses; none of those that the system gives to
    clients, or a resolver's next question might take it before the daemon does."""
    while True:
        port = random.randrange(10000, 32000)
        try:
            for family, address in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(family, kind) as s:
                        s.bind((address, port))
            return port
        except OSError:
            continue


def wait_for(condition, what, deadline=DEADLINE):
    """Polls until the condition holds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f'no {what} within {deadline} s')
        time.sleep(0.02)


def fault_library(test):
    """What is preloaded so that calls fail (fault.c)."""
    path = test.path('fault.so')
    must('gcc', '-D_GNU_SOURCE', '-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', path, os.path.join(HERE, 'fault.c'), '-ldl')
    return path


def in_namespace(topic):
    """Runs this test again, with --mount, where mounts are nobody else's business; does not return then."""
    unshare = ['unshare', '-m', '--propagation', 'private']
    try:
        may = subprocess.run([*unshare, 'mount', '-t', 'tmpfs', 'none', '/mnt'], stderr=subprocess.DEVNULL, timeout=60)
        if may.returncode == 0:
            os.execvp(unshare[0], [*unshare, sys.executable, os.path.abspath(sys.argv[0]), '--mount'])
    except OSError:
        pass
    print(f'{topic}: no mounts here: full and read-only disks are played by limits and failing calls')


def fill(directory, pages):
    """Fills the disk but for some pages of memory; returns the path of what fills it."""
    path = os.path.join(directory, 'filler')
    size = 0
    with open(path, 'wb', buffering=0) as f:
        try:
            while True:
                size += f.write(b'x' * 4096)
        except OSError:
            pass
    os.truncate(path, size - pages * 4096)
    return path


class Daemon:
    """A running program with a DNS port on 127.0.0.1."""

    def __init__(self, test, args, port, log):
        self.test, self.port, self.log_path = test, port, log
        self.is_ours = args[0].startswith(BIN)
        with open(log, 'ab') as out:
            self.process = subprocess.Popen(args, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            cwd=test.dir)
        test.daemons.append(self)

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def is_up(self):
        if self.process.poll() is not None:
            raise RuntimeError(f'{self.process.args[0]} ended: {self.log()[-2000:]}')
        try:
            dns.query.udp(dns.message.make_query('.', 'SOA'), '127.0.0.1', port=self.port, timeout=0.3)
            return True
        except Exception:
            return False

    def ask(self, name, rdtype, dnssec=True, tcp=False, timeout=5, address='127.0.0.1', flags=dns.flags.RD,
            payload=1232):
        q = dns.message.make_query(name, rdtype, want_dnssec=dnssec, payload=payload if dnssec else None)
        q.flags = flags
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(q, address, port=self.port, timeout=timeout)

    def transfer(self, zone, path):
        """Writes all of the zone to a file, a record a line."""
        text = must('dig', '+noall', '+answer', '+onesoa', '+nosplit', '@127.0.0.1', '-p', str(self.port), zone, 'AXFR')
        with open(path, 'w') as f:
            f.write(text)
        if not text:
            raise RuntimeError(f'{zone}: no transfer: {self.log()[-2000:]}')

    def ctl(self, *words, **more):
        """Asks signetd by signetctl: (status, output and errors together)."""
        return ours('signetctl', '-c', self.config, *words, **more)

    def stop(self, sig=signal.SIGTERM):
        """Returns the exit status. One of ours that runs has to end well by SIGTERM: a sanitizer's finding shows there."""
        has_to = self.is_ours and sig == signal.SIGTERM and self.process.poll() is None
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self in self.test.daemons:
            self.test.forget(self)
        if has_to and self.process.returncode != 0:
            self.test.check(f'{self.process.args[0]} ends well', False,
                            f'status {self.process.returncode}: {self.log()[-2000:]}')
        return self.process.returncode


def signetd(test, zones, name='signetd', extra=''):
    """Serves {zone: file} on free ports of 127.0.0.1 and ::1."""
    port = free_port()
    lines = ['server:', f'  listen: [ 127.0.0.1@{port}, "::1@{port}" ]']
    lines += extra.splitlines()
    if 'control:' not in extra:
        lines.append(f'  control: "{test.path(name)}.control"')
    lines.append('zones:')
    for zone, path in zones.items():
        lines += [f'  - name: "{zone}"', f'    file: {path}']
    config = test.write(f'{name}.yaml', '\n'.join(lines) + '\n')
    d = Daemon(test, [os.path.join(BIN, 'signetd'), '-c', config], port, test.path(f'{name}.log'))
    d.config = config
    wait_for(d.is_up, 'answer from signetd')
    return d


def reload(server, ends='reload-done'):
    """Has signetd read everything anew; waits until its log says how that ended."""
    before = server.log().count(ends)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server.log().count(ends) > before, ends)


# --- a client of a stream -------------------------------------------------------------------------

def query(name='www.example.', rdtype='A', **more):
    return dns.message.make_query(name, rdtype, **more)


def frame(message):
    wire = message if isinstance(message, bytes) else message.to_wire()
    return struct.pack('!H', len(wire)) + wire


def read_exactly(s, count):
    data = b''
    while len(data) < count:
        more = s.recv(count - len(data))
        if not more:
            return None
        data += more
    return data


def read_wire(s):
    head = read_exactly(s, 2)
    return read_exactly(s, struct.unpack('!H', head)[0]) if head else None


def read_message(s):
    wire = read_wire(s)
    return dns.message.from_wire(wire) if wire is not None else None


# --- other servers --------------------------------------------------------------------------------

def unbound(test, stubs, anchors, name='unbound'):
    """A validating resolver; {zone: port} says where on 127.0.0.1 zones are served, anchors are lines with
    DS or DNSKEY records."""
    port = free_port()
    anchor = test.write(f'{name}.anchor', ''.join(a + '\n' for a in anchors))
    text = f'''server:
  interface: 127.0.0.1
  port: {port}
  do-ip6: no
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{test.dir}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  val-log-level: 2
  do-not-query-localhost: no
  module-config: "validator iterator"
  qname-minimisation: no
  aggressive-nsec: no
  target-fetch-policy: "0 0 0 0 0"
  num-threads: 1
  so-reuseport: no
  msg-cache-size: 4m
  rrset-cache-size: 4m
'''
    if anchors:
        text += f'  trust-anchor-file: "{anchor}"\n'
    text += 'remote-control:\n  control-enable: no\n'
    for zone, where in stubs.items():
        text += f'stub-zone:\n  name: "{zone}"\n  stub-addr: 127.0.0.1@{where}\n  stub-no-cache: no\n'
    config = test.write(f'{name}.conf', text)
    d = Daemon(test, ['unbound', '-d', '-p', '-c', config], port, test.path(f'{name}.log'))
    wait_for(d.is_up, 'answer from unbound')
    return d


def named(test, zones, name='named', minimal='yes'):
    """BIND as an authoritative server of {zone: file}; @minimal: no-auth: with additional data."""
    port = free_port()
    rows = ''.join(f'zone "{zone}" {{ type primary; file "{path}"; check-names ignore; check-integrity no; }};\n'
                   for zone, path in zones.items())
    config = test.write(f'{name}.conf', f'''options {{
  directory "{test.dir}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; minimal-responses {minimal}; minimal-any yes; dnssec-validation no; max-udp-size 4096;
  zero-no-soa-ttl no; rate-limit {{ responses-per-second 0; }}; allow-transfer {{ none; }}; session-keyfile none; empty-zones-enable no;
}};
controls {{ }};
{rows}''')
    d = Daemon(test, ['named', '-g', '-n', '1', '-c', config], port, test.path(f'{name}.log'))
    wait_for(d.is_up, 'answer from named')
    return d


def knotd(test, zones, name='knot'):
    """Knot as an authoritative server of {zone: file}."""
    port = free_port()
    rows = ''.join(f'  - domain: "{zone}"\n    file: {path}\n    zonefile-load: whole\n' for zone, path in zones.items())
    os.makedirs(test.path(name), exist_ok=True)
    config = test.write(f'{name}.conf', f'''server:
    rundir: {test.path(name)}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 4096
log:
  - target: stderr
    any: warning
database:
    storage: {test.path(name)}
template:
  - id: default
    semantic-checks: off
    storage: {test.dir}
zone:
{rows}''')
    d = Daemon(test, ['knotd', '-c', config], port, test.path(f'{name}.log'))
    wait_for(d.is_up, 'answer from knotd')
    return d


def nsd(test, zones, name='nsd', minimal='yes'):
    """NSD as an authoritative server of {zone: file}."""
    port = free_port()
    rows = ''.join(f'zone:\n  name: "{zone}"\n  zonefile: "{path}"\n' for zone, path in zones.items())
    config = test.write(f'{name}.conf', f'''server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{test.dir}"
  database: ""
  pidfile: "{test.path(f'{name}.pid')}"
  xfrdfile: "{test.path(f'{name}.xfrd')}"
  xfrdir: "{test.dir}"
  zonelistfile: "{test.path(f'{name}.list')}"
  server-count: 1
  rrl-ratelimit: 0
  minimal-responses: {minimal}
  ipv4-edns-size: 4096
remote-control:
  control-enable: no
{rows}''')
    d = Daemon(test, ['nsd', '-d', '-c', config], port, test.path(f'{name}.log'))
    wait_for(d.is_up, 'answer from nsd')
    return d


def generate_keys(test, zone, algorithm='ECDSAP256SHA256'):
    """A KSK and a ZSK in a directory of their own; returns (directory, DS record)."""
    directory = test.path('keys', zone.strip('.') or 'root', algorithm)
    os.makedirs(directory, exist_ok=True)
    keymgr = os.path.join(BIN, 'signet-keymgr')
    ksk = must(keymgr, 'generate', '-K', directory, '-a', algorithm, '-f', 'KSK', zone).strip()
    must(keymgr, 'generate', '-K', directory, '-a', algorithm, zone)
    return directory, must(keymgr, 'ds', '-K', directory, ksk).strip()


def sign(test, zone, source, directory, *options, output=None):
    """Signs with all keys of the directory; returns the path of the signed file."""
    output = output or source + '.signed'
    must(os.path.join(BIN, 'signet-signzone'), '-v', '0', '-S', '-K', directory, '-d', test.dir, '-o', zone, '-f', output,
         *options, source)
    return output
