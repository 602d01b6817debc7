"""Put this folder on PYTHONPATH and every Python process refuses connections beyond this machine."""

import socket

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")
_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _check(host):
    if host and not str(host).startswith(_LOOPBACK):
        raise ConnectionRefusedError(f"this test allows no connection to {host}")


def _guard(original):
    def call(self, address):
        if isinstance(address, tuple):
            _check(address[0])
        return original(self, address)

    return call


def _resolve(host, *arguments, **options):
    _check(host.decode() if isinstance(host, bytes) else host)
    return _getaddrinfo(host, *arguments, **options)


socket.socket.connect = _guard(_connect)
socket.socket.connect_ex = _guard(_connect_ex)
socket.getaddrinfo = _resolve
