"""``kdsharp book``: it serves what it built and prints the address, or with --no-serve the path."""

import threading
import urllib.request

import pytest

from kdsharp import book
from kdsharp.book import printing, serving
from kdsharp.cli import course as command


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A book of one page."""
    (tmp_path / "index.html").write_text("<h1>the book</h1>")
    monkeypatch.setattr(book, "build_book", lambda profile, solutions: tmp_path / "index.html")
    return tmp_path / "index.html"


def test_the_book_is_served_until_it_is_stopped(built, monkeypatch, capsys):
    running, make = [], serving.server
    monkeypatch.setattr(serving, "server", lambda *options: running.append(make(*options)) or running[-1])
    thread = threading.Thread(target=command.book, args=("smoke", True, 0))
    thread.start()
    while not running:
        thread.join(0.05)
    address = f"http://127.0.0.1:{running[0].server_port}/"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=20) as answer:
        assert answer.read() == b"<h1>the book</h1>"
    running[0].shutdown()
    thread.join(20)
    assert address in capsys.readouterr().out


def test_a_reader_who_leaves_early_is_no_error_and_all_else_is(tmp_path, capsys):
    with serving.server(tmp_path) as running:
        for failure in (BrokenPipeError(), ConnectionResetError(), ValueError("a fault")):
            try:
                raise failure
            except Exception:
                running.handle_error(None, ("127.0.0.1", 1))
    said = capsys.readouterr().err
    assert "a fault" in said
    assert "BrokenPipe" not in said
    assert "ConnectionReset" not in said


def test_without_serving_the_path_is_printed(built, capsys):
    command.book("smoke", False, 0)
    assert str(built) in capsys.readouterr().out.replace("\n", "")


def test_ctrl_c_ends_the_serving_and_says_where_the_book_is(built, monkeypatch, capsys):
    class Pressed:
        server_port = 1

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

        def serve_forever(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(serving, "server", lambda *options: Pressed())
    command.book("smoke", True, 0)
    assert "the book stays at" in capsys.readouterr().out


def test_the_pdf_is_printed_beside_the_pages_and_nothing_is_served(built, tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(printing, "find_browser", lambda: "chromium")
    monkeypatch.setattr(printing, "print_book", lambda *paths: asked.append(paths) or paths[1])
    command.book("smoke", True, 0, pdf=True)
    assert asked == [(tmp_path, tmp_path / "kdsharp.pdf")]
    assert "kdsharp.pdf" in capsys.readouterr().out.replace("\n", "")
