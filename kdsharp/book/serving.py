"""A server of a folder of pages, at this machine alone."""

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kdsharp.checks import UsageError


class _Pages(SimpleHTTPRequestHandler):
    """Files by the types that a browser asks for, whatever this machine's registry says of their names."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".webp": "image/webp",
    }

    def log_message(self, *arguments: Any) -> None:
        """A line for every picture would bury the address."""


class _Server(ThreadingHTTPServer):
    """A reader who leaves a page before it has come whole is no error."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of a folder at 127.0.0.1; its ``server_port`` is the port, a free one for 0.

    Raises:
        UsageError: when another program has the port.
    """
    try:
        return _Server(("127.0.0.1", port), functools.partial(_Pages, directory=str(folder)))
    except OSError as error:
        raise UsageError(f"port {port} cannot be had ({error.strerror}); give another with --port") from None


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server of a folder, which works beside the caller and ends with the block."""
    with server(folder) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()
