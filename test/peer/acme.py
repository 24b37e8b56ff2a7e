"""A certificate authority that speaks just enough ACME (RFC 8555) for lego and certbot to prove themselves by DNS.

It believes what clients sign, and looks for itself whether the TXT record that dns-01 asks for is there.
"""
import base64
import datetime
import hashlib
import http.server
import ipaddress
import json
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b'=').decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def thumbprint(jwk):
    """RFC 7638."""
    fields = {'EC': ('crv', 'kty', 'x', 'y'), 'RSA': ('e', 'kty', 'n')}[jwk['kty']]
    text = json.dumps({f: jwk[f] for f in fields}, separators=(',', ':'), sort_keys=True)
    return b64(hashlib.sha256(text.encode()).digest())


def certificate(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.utcnow()
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(),
                                      now - datetime.timedelta(hours=1), now + datetime.timedelta(days=90))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM).decode()


class Authority:
    """Serves https://127.0.0.1:port/dir. @lookup gives the TXT strings at a name. `proofs` has, for each name that
    was proved, the strings that stood there then."""

    def __init__(self, test, lookup):
        self.lookup, self.proofs = lookup, {}
        self.accounts, self.orders, self.authz = {}, {}, {}
        self.count = 0
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'test authority')])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = certificate(self.name, self.key.public_key(), self.name, self.key,
                                x509.BasicConstraints(True, None))
        self.root_file = test.write('acme/root.pem', pem(self.root))
        key = ec.generate_private_key(ec.SECP256R1())
        own = certificate(x509.Name([]), key.public_key(), self.name, self.key,
                          x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]))
        chain = test.write('acme/server.pem', pem(own) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *args):
                pass

            def answer(self):
                length = int(self.headers.get('Content-Length') or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, content, headers = authority.handle(self.path, body)
                octets = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                kind = 'application/pem-certificate-chain' if isinstance(content, str) else 'application/json'
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header('Replay-Nonce', authority.new_id('nonce'))
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', '0' if self.command == 'HEAD' else str(len(octets)))
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(octets)

            do_GET = do_HEAD = do_POST = answer

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.base = f'https://127.0.0.1:{self.server.server_port}'
        self.url = f'{self.base}/dir'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def new_id(self, kind):
        self.count += 1
        return f'{kind}{self.count}'

    def handle(self, path, body):
        """(status, content, headers) for a request."""
        what, _, which = path.strip('/').partition('/')
        if what == 'dir':
            return 200, {'newNonce': f'{self.base}/nonce', 'newAccount': f'{self.base}/account',
                         'newOrder': f'{self.base}/order', 'revokeCert': f'{self.base}/revoke',
                         'keyChange': f'{self.base}/change', 'meta': {}}, {}
        if body is None:
            return (200, {}, {}) if what == 'nonce' else (405, {}, {})
        protected = json.loads(unb64(body['protected']))
        payload = json.loads(unb64(body['payload'])) if body['payload'] else {}
        return getattr(self, f'on_{what}')(which, protected, payload)

    def on_account(self, which, protected, payload):
        url = which and f'{self.base}/account/{which}'
        if 'jwk' in protected:
            url = f'{self.base}/account/{self.new_id("a")}'
            self.accounts[url] = thumbprint(protected['jwk'])
        return (200 if which else 201), {'status': 'valid', 'contact': []}, {'Location': url}

    def order(self, which):
        order = self.orders[which]
        states = {self.authz[a]['status'] for a in order['authz']}
        status = 'valid' if order['chain'] else 'invalid' if 'invalid' in states else \
            'ready' if states == {'valid'} else 'pending'
        out = {'status': status, 'identifiers': order['identifiers'], 'finalize': f'{self.base}/finalize/{which}',
               'authorizations': [f'{self.base}/authz/{a}' for a in order['authz']]}
        if order['chain']:
            out['certificate'] = f'{self.base}/cert/{which}'
        return out, {'Location': f'{self.base}/order/{which}'}

    def on_order(self, which, protected, payload):
        if which:
            return 200, *self.order(which)
        which = self.new_id('o')
        self.orders[which] = {'identifiers': payload['identifiers'], 'authz': [], 'chain': None}
        for identifier in payload['identifiers']:
            a = self.new_id('z')
            name = identifier['value']
            self.authz[a] = {'status': 'pending', 'name': name.removeprefix('*.'), 'wildcard': name.startswith('*.'),
                             'token': b64(a.encode() * 8)}
            self.orders[which]['authz'].append(a)
        return 201, *self.order(which)

    def challenge(self, which):
        a = self.authz[which]
        return {'type': 'dns-01', 'url': f'{self.base}/challenge/{which}', 'status': a['status'], 'token': a['token']}

    def on_authz(self, which, protected, payload):
        a = self.authz[which]
        return 200, {'status': a['status'], 'identifier': {'type': 'dns', 'value': a['name']},
                     'wildcard': a['wildcard'], 'challenges': [self.challenge(which)]}, {}

    def on_challenge(self, which, protected, payload):
        a = self.authz[which]
        owner = f'_acme-challenge.{a["name"]}.'
        text = f'{a["token"]}.{self.accounts[protected["kid"]]}'
        strings = self.lookup(owner)
        self.proofs.setdefault(owner, []).append(strings)
        a['status'] = 'valid' if b64(hashlib.sha256(text.encode()).digest()) in strings else 'invalid'
        return 200, self.challenge(which), {'Link': f'<{self.base}/authz/{which}>;rel="up"'}

    def on_finalize(self, which, protected, payload):
        request = x509.load_der_x509_csr(unb64(payload['csr']))
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        own = certificate(request.subject, request.public_key(), self.name, self.key, names)
        self.orders[which]['chain'] = pem(own) + pem(self.root)
        return 200, *self.order(which)

    def on_cert(self, which, protected, payload):
        return 200, self.orders[which]['chain'], {}
