"""TLS towards a provider: its authority, our client certificate, nothing older than TLS 1.2."""

import ssl

from providers.config import Tls


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Raises OSError (ssl.SSLError included) for files that can't be read or don't fit."""
    context = ssl.create_default_context(cafile=tls.authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
