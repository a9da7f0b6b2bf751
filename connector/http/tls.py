"""TLS: the trusted CA certificates, and the error for a certificate that is not valid.

`REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE` have the same meaning as in `requests`, `SSL_CERT_FILE` and
`SSL_CERT_DIR` as in OpenSSL. `ssl` and `certifi` are imported where they are used, because they are slow to
import.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from connector.errors import CertificateError, ConnectionSetupError, NotSentError

if TYPE_CHECKING:
    import ssl

_WRONG_TIME, _WRONG_HOST = {9, 10}, {62, 64}
"""OpenSSL's codes for certificates that are not yet valid, or expired, and for those of another host."""
SYSTEM = "system"
"""The value of `ca_file` that means the certificate store of the operating system."""
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""The environment variables in the order of their precedence; the last two are used together."""
_ADVICE = (
    "If a proxy or firewall signs with your company's CA, set ca_file of the connection, or "
    "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR, to the certificate of that CA; or "
    f"set ca_file to {SYSTEM} for the certificate store of the operating system"
)


class Authorities(NamedTuple):
    """The trusted CA certificates: in a file, in folders (separated as in `SSL_CERT_DIR`), or in both.

    `origin` describes where they were configured, for messages; `unused` are the environment variables that
    are set, but that it takes precedence over. With neither a file nor folders, they are those of the
    operating system.
    """

    origin: str
    file: str | None = None
    folders: str | None = None
    unused: tuple[str, ...] = ()

    @property
    def is_system(self) -> bool:
        """Whether they are in the certificate store of the operating system."""
        return self.file is None and self.folders is None

    @property
    def path(self) -> str:
        """The file, or the first of the folders that exists."""
        folders = self.folders or ""
        return self.file or next(iter(_existing(folders)), folders)

    @property
    def described(self) -> str:
        """A sentence on them, for messages."""
        instead = f", which takes precedence over {' and '.join(self.unused)}" if self.unused else ""
        return f"The connector trusts the CA certificates of {self.origin}{instead}"


def find_authorities(ca_file: str | None) -> Authorities:
    """Return the trusted CA certificates: `ca_file`, else those of the environment, else certifi's.

    `ca_file` can be `system`.
    Raises ConnectionSetupError if SSL_CERT_DIR alone is set and does not exist.
    """
    unused = tuple(name for name in _VARIABLES if os.environ.get(name))
    if ca_file == SYSTEM:
        return Authorities("the operating system (ca_file: system)", unused=unused)
    if ca_file:
        return _of_path("ca_file", ca_file, unused)
    for name in _VARIABLES[:2]:
        if path := os.environ.get(name):
            return _of_path(name, path, unused[unused.index(name) + 1 :])
    file, folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if folders and not _existing(folders):
        if not file:
            raise ConnectionSetupError(f"SSL_CERT_DIR: the folder {folders} does not exist")
        folders = None
    if file and folders:
        return Authorities(f"SSL_CERT_FILE ({file}) and SSL_CERT_DIR ({folders})", file, folders)
    if file:
        return _of_path("SSL_CERT_FILE", file)
    if folders:
        return Authorities(f"SSL_CERT_DIR ({folders})", folders=folders)
    import certifi

    return Authorities("the package certifi", certifi.where())


def tls_context(base_url: str, authorities: Authorities | None) -> ssl.SSLContext:
    """Return the TLS settings for all connections to a host.

    They are shared, because reading the CA certificates takes 20 ms. Without `authorities`, no certificate is
    verified. Raises ConnectionSetupError if the certificates cannot be read.
    """
    import ssl

    if authorities is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authorities.is_system:
        context = _system_context(base_url)
    else:
        try:
            context = ssl.create_default_context(cafile=authorities.file, capath=authorities.folders)
        except OSError as error:
            raise ConnectionSetupError(
                f"{base_url}: the CA certificate bundle of {authorities.origin} cannot be read: {error}"
            ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def _system_context(base_url: str) -> ssl.SSLContext:
    """Return TLS settings with the certificate store of the operating system."""
    import ssl

    try:
        import truststore
    except ImportError:
        raise ConnectionSetupError(
            f"{base_url}: ca_file: system requires the package truststore: run `pip install truststore`"
        ) from None
    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


def connect_error(cause: BaseException, reason: str, authorities: Authorities | None) -> NotSentError:
    """Return the error for a failed connection: CertificateError if the certificate is not valid."""
    message = f"no connection: {reason}"
    if authorities is None:
        return NotSentError(message)
    import ssl

    if not isinstance(cause, ssl.SSLCertVerificationError):
        return NotSentError(message)
    code = getattr(cause, "verify_code", 0)
    if code not in _WRONG_HOST:
        message += f". {authorities.described}"
    if code not in _WRONG_HOST | _WRONG_TIME:
        message += f". {_ADVICE}"
    return CertificateError(message)


def _of_path(name: str, path: str, unused: tuple[str, ...] = ()) -> Authorities:
    origin = f"{name} ({path})"
    if os.path.isdir(path):
        return Authorities(origin, folders=path, unused=unused)
    return Authorities(origin, path, unused=unused)


def _existing(folders: str) -> list[str]:
    return [folder for folder in folders.split(os.pathsep) if os.path.isdir(folder)]
