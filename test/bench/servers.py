"""Servers that `test/bench/query` measures, each with one worker: how to start them, are they up, what do they use."""
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

from bench import BIN, PARTS

TICKS = os.sysconf('SC_CLK_TCK')
LOAD_DEADLINE = 600


def free_port():
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket() as t:
            u.bind(('127.0.0.1', 0))
            try:
                t.bind(u.getsockname())
                return u.getsockname()[1]
            except OSError:
                continue


def answers(port, zone):
    """Is there an authoritative answer for the zone's SOA?"""
    name = b''.join(bytes([len(label)]) + label.encode() for label in zone.split('.') if label) + b'\0'
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        s.connect(('127.0.0.1', port))
        try:
            s.send(struct.pack('>6H', 4711, 0, 1, 0, 0, 0) + name + struct.pack('>2H', 6, 1))
            _, flags, _, count, _, _ = struct.unpack('>6H', s.recv(4096)[:12])
            return flags & 0x840f == 0x8400 and count > 0
        except OSError:
            return False


def tasks_of(pid):
    """/proc directories of all threads of a process and of its children."""
    found = []
    try:
        for task in os.listdir(f'/proc/{pid}/task'):
            found.append(f'/proc/{pid}/task/{task}')
            with open(f'/proc/{pid}/task/{task}/children') as f:
                for child in f.read().split():
                    found += tasks_of(int(child))
    except FileNotFoundError:
        pass
    return found


class Server:
    """A running server on 127.0.0.1. zones: {name: file}."""

    def __init__(self, directory, zones, workers=1):
        self.dir = os.path.join(directory, f'run-{self.name}')
        self.zones, self.workers, self.port = zones, workers, free_port()
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.environment = dict(os.environ)
        self.process = None

    @classmethod
    def is_there(cls):
        return shutil.which(cls.program) is not None

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def start(self):
        """Starts it; wait() waits for the zones."""
        args = self.prepare()
        with open(f'{self.dir}/log', 'wb') as log:
            self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir,
                                            env=self.environment)

    def wait(self):
        end = time.monotonic() + LOAD_DEADLINE
        for zone in self.zones:
            while not answers(self.port, zone):
                if self.process.poll() is not None or time.monotonic() > end:
                    with open(f'{self.dir}/log', errors='replace') as f:
                        raise RuntimeError(f'{self.name} does not answer for {zone}: {f.read()[-1000:]}')
                time.sleep(0.1)

    def pin(self, *cores):
        for task in tasks_of(self.process.pid):
            os.sched_setaffinity(int(os.path.basename(task)), cores)

    def cpu(self):
        """User and system seconds used so far; the sum is exact, its parts are as the kernel estimates them."""
        user = system = exact = 0
        for task in tasks_of(self.process.pid):
            try:
                with open(f'{task}/stat') as f:
                    fields = f.read().rsplit(')', 1)[1].split()
                with open(f'{task}/schedstat') as f:
                    exact += int(f.read().split()[0]) / 1e9
            except FileNotFoundError:
                continue
            user += int(fields[11]) / TICKS
            system += int(fields[12]) / TICKS
        return user, system, exact

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Echo(Server):
    """The kernel's own price: answers of a given size."""
    name, program, signed = 'echo', os.path.join(PARTS, 'echo'), True
    size = 100

    def prepare(self):
        return [self.program, str(self.port), str(self.size)]

    def wait(self):
        self.zones = {}
        time.sleep(0.2)

    def resize(self, size):
        """Starts again with answers of this size."""
        self.stop()
        self.size = round(size)
        self.start()
        self.wait()


class Signetd(Server):
    name, program, signed = 'signetd', os.path.join(BIN, 'signetd'), True

    def configure(self, zones):
        return self.write('signet.yaml', f'server:\n  listen: [ 127.0.0.1@{self.port} ]\n  workers: {self.workers}\nzones:\n' +
                          ''.join(f'  - name: {z}\n    file: {f}\n' for z, f in zones.items()))

    def prepare(self):
        return [self.program, '-c', self.configure(self.zones)]


class Knotd(Server):
    name, program, signed = 'knotd', 'knotd', True

    def prepare(self):
        config = self.write('knot.conf', f'''server:
    rundir: {self.dir}
    listen: 127.0.0.1@{self.port}
    udp-workers: {self.workers}
    tcp-workers: 1
    background-workers: {self.workers}
log:
  - target: stderr
    any: warning
database:
    storage: {self.dir}/db
template:
  - id: default
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
zone:
''' + ''.join(f'  - domain: {z}\n    file: {f}\n' for z, f in self.zones.items()))
        return [self.program, '-c', config]


class Nsd(Server):
    name, program, signed = 'nsd', 'nsd', True

    def prepare(self):
        config = self.write('nsd.conf', f'''server:
    ip-address: 127.0.0.1@{self.port}
    server-count: {self.workers}
    username: ""
    zonesdir: {self.dir}
    pidfile: {self.dir}/nsd.pid
    xfrdfile: {self.dir}/xfrd.state
    xfrdir: {self.dir}
    zonelistfile: {self.dir}/zone.list
    database: ""
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
''' + ''.join(f'zone:\n    name: {z}\n    zonefile: {f}\n' for z, f in self.zones.items()))
        return [self.program, '-d', '-c', config]


class Named(Server):
    name, program, signed = 'named', 'named', True

    def prepare(self):
        config = self.write('named.conf', f'''options {{
    directory "{self.dir}"; pid-file "{self.dir}/named.pid"; session-keyfile "{self.dir}/session.key";
    listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; notify no; minimal-responses yes; check-integrity no;
}};
controls {{ }};
''' + ''.join(f'zone "{z}" {{ type primary; file "{f}"; }};\n' for z, f in self.zones.items()))
        return [self.program, '-g', '-n', str(self.workers), '-c', config]


class Yadifad(Server):
    name, program, signed = 'yadifad', 'yadifad', True

    def prepare(self):
        for part in ('keys', 'logs', 'xfr'):
            os.makedirs(f'{self.dir}/{part}')
        config = self.write('yadifad.conf', f'''<main>
    daemon off
    port {self.port}
    listen 127.0.0.1
    datapath {self.dir}/
    keyspath {self.dir}/keys
    logpath {self.dir}/logs
    xfrpath {self.dir}/xfr
    pidfile {self.dir}/yadifad.pid
    thread-count-by-address {self.workers}
    queries-log-type 0
    statistics off
</main>
<rrl>
    enabled false
</rrl>
<channels>
    errors errors.log 0644
</channels>
<loggers>
    * emerg,alert,crit,err errors
</loggers>
''' + ''.join(f'<zone>\n    domain {z}\n    type primary\n    file {f}\n</zone>\n' for z, f in self.zones.items()))
        return [self.program, '-c', config]


class Gdnsd(Server):
    name, program, signed = 'gdnsd', 'gdnsd', False

    def prepare(self):
        os.makedirs(f'{self.dir}/zones')
        for zone, path in self.zones.items():
            shutil.copy(path, f'{self.dir}/zones/{zone}')
        self.write('config', f'''options => {{
    listen => [ 127.0.0.1:{self.port} ]
    udp_threads => {self.workers}
    tcp_threads => 1
    run_dir => {self.dir}/r
    state_dir => {self.dir}/s
}}
''')
        return [self.program, '-c', self.dir, 'start']


SERVERS = [Echo, Signetd, Knotd, Nsd, Named, Yadifad, Gdnsd]
