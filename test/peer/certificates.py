"""Certificates for tests: a root that clients trust, one between, and those of servers; and of clients."""
import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

NAME = 'ns.example'


def certificate(name, key, issuer=None, issuer_key=None, is_ca=False, days=(-1, 30), names=None):
    """For the DNS names @names (None: @name alone), and 127.0.0.1; without an issuer it signs itself."""
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    b = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject) \
        .public_key(key.public_key()).serial_number(x509.random_serial_number()) \
        .not_valid_before(now + datetime.timedelta(days=days[0])).not_valid_after(now + datetime.timedelta(days=days[1])) \
        .add_extension(x509.BasicConstraints(is_ca, None), True)
    if not is_ca:
        b = b.add_extension(x509.SubjectAlternativeName(
            [x509.DNSName(n) for n in names or (name,)] + [x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]), False)
    return b.sign(issuer_key or key, hashes.SHA256())


def pem(*certificates):
    return b''.join(c.public_bytes(serialization.Encoding.PEM) for c in certificates).decode()


def write_key(t, name, key, mode=0o600):
    path = t.write(name, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()).decode())
    os.chmod(path, mode)
    return path


class Files:
    """A root that clients trust, and NAME.pem with NAME.key for several servers, all below a certificate between."""

    def __init__(self, t):
        new = lambda: ec.generate_private_key(ec.SECP256R1())
        root_key, self.between_key = new(), new()
        root = certificate('root', root_key, is_ca=True)
        self.between = certificate('between', self.between_key, root, root_key, is_ca=True)
        self.root = t.write('root.pem', pem(root))
        self.make(t, 'a', new())
        self.make(t, 'b', rsa.generate_private_key(65537, 2048))
        self.make(t, 'old', new(), days=(-30, -1))

    def make(self, t, name, key, **more):
        t.write(f'{name}.pem', pem(certificate(NAME, key, self.between, self.between_key, **more), self.between))
        write_key(t, f'{name}.key', key)
