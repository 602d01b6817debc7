"""Fetching a large file over a bad line: only what is missing is sent again, and never parts of two versions."""

import hashlib
import json
import shutil
from types import SimpleNamespace

import pytest

from kdsharp.checks import UsageError
from kdsharp.sets import download


def fetch(server, folder, sha256=None, name="pairs.zip"):
    return download.fetch(server.url(name), folder, sha256, progress=False, pause=0)


def refusal(server, folder, **options):
    with pytest.raises(UsageError) as caught:
        fetch(server, folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_arrives_under_its_name(file_server, tmp_path):
    path = fetch(file_server, tmp_path / "new", name="sub/my%20pairs.zip?download=true")
    assert path == tmp_path / "new" / "my pairs.zip"
    assert path.read_bytes() == file_server.content
    assert names(tmp_path / "new") == ["my pairs.zip"]
    assert file_server.served == len(file_server.content)


def test_a_cut_connection_goes_on_and_only_the_rest_is_sent(file_server, tmp_path):
    file_server.cuts = [700_000, 600_000]
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content
    assert file_server.served == len(file_server.content)
    assert [sent.get("Range") for sent in file_server.requests] == [None, "bytes=700000-", "bytes=1300000-"]
    assert file_server.requests[1]["If-Range"] == '"one"'


def test_a_later_call_goes_on(file_server, tmp_path):
    file_server.cuts = [700_000] + [0] * download.TRIES
    message = refusal(file_server, tmp_path)
    assert f"failed {download.TRIES} times in a row (the connection was cut); 700,000 bytes are kept" in message
    assert "the same command goes on" in message
    assert names(tmp_path) == ["pairs.zip.part", "pairs.zip.part.json"]
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content
    assert file_server.served == len(file_server.content)
    assert names(tmp_path) == ["pairs.zip"]


def test_a_line_that_moves_is_never_given_up(file_server, tmp_path):
    file_server.cuts = [100_000] * 15
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content


def test_a_server_without_range_sends_the_file_again(file_server, tmp_path):
    file_server.ranges, file_server.cuts = False, [700_000]
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content
    assert file_server.served == 700_000 + len(file_server.content)


@pytest.mark.parametrize("if_range", [True, False])
def test_a_file_that_changed_between_two_tries_starts_again(file_server, tmp_path, if_range):
    file_server.cuts, file_server.if_range = [700_000] + [0] * download.TRIES, if_range
    refusal(file_server, tmp_path)
    file_server.content, file_server.etag = file_server.content[::-1], '"two"'
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_etag_the_length_tells_versions_apart(file_server, tmp_path, etag):
    file_server.cuts, file_server.etag = [700_000] + [0] * download.TRIES, etag
    refusal(file_server, tmp_path)
    assert all("If-Range" not in sent for sent in file_server.requests)
    file_server.content = file_server.content[::-1] + b"longer"
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content


def test_a_part_of_another_address_is_not_continued(file_server, tmp_path):
    file_server.cuts = [700_000] + [0] * download.TRIES
    refusal(file_server, tmp_path)
    before = len(file_server.requests)
    fetch(file_server, tmp_path, name="mirror/pairs.zip")
    assert all("Range" not in sent for sent in file_server.requests[before:])


def test_a_server_without_range_that_is_cut_again_and_again_is_given_up(file_server, tmp_path):
    file_server.ranges, file_server.cuts = False, [500_000, 700_000] * 10
    assert "failed 5 times in a row" in refusal(file_server, tmp_path)


def test_a_part_longer_than_the_file_starts_again(file_server, tmp_path):
    (tmp_path / "pairs.zip.part").write_bytes(b"x" * (len(file_server.content) + 5))
    state = {"url": file_server.url(), "total": None, "version": None}
    (tmp_path / "pairs.zip.part.json").write_text(json.dumps(state))
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content


def test_a_part_that_is_whole_needs_no_request(file_server, tmp_path):
    (tmp_path / "pairs.zip.part").write_bytes(file_server.content)
    state = {"url": file_server.url(), "total": len(file_server.content), "version": '"one"'}
    (tmp_path / "pairs.zip.part.json").write_text(json.dumps(state))
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content
    assert file_server.requests == []


def test_a_file_that_is_there_is_not_fetched_again(file_server, tmp_path):
    (tmp_path / "pairs.zip").write_bytes(b"mine")
    assert fetch(file_server, tmp_path).read_bytes() == b"mine"
    assert file_server.requests == []


def test_a_missing_file_is_refused_at_once(file_server, tmp_path):
    file_server.statuses = [404]
    assert "answers 404 Not Found; look up the present address" in refusal(file_server, tmp_path)
    assert len(file_server.requests) == 1
    assert names(tmp_path) == []


def test_a_busy_server_is_asked_again(file_server, tmp_path):
    file_server.statuses = [503, 429]
    assert fetch(file_server, tmp_path).read_bytes() == file_server.content


def test_a_web_page_is_not_taken_for_an_archive(file_server, tmp_path):
    file_server.kind = "text/html; charset=utf-8"
    assert "answers with a web page" in refusal(file_server, tmp_path)
    assert names(tmp_path) == []


def test_nobody_answers(file_server, tmp_path):
    address = file_server.url()
    file_server.shutdown()
    file_server.server_close()
    with pytest.raises(UsageError, match="refused.*0 bytes are kept"):
        download.fetch(address, tmp_path, progress=False, pause=0)


def test_the_checksum_is_compared_before_the_file_gets_its_name(file_server, tmp_path):
    right = hashlib.sha256(file_server.content).hexdigest()
    assert "has the SHA-256 " + right in refusal(file_server, tmp_path, sha256="0" * 64)
    assert "pairs.zip" not in names(tmp_path)
    assert "64 hexadecimal digits" in refusal(file_server, tmp_path, sha256="abc")
    assert fetch(file_server, tmp_path, right.upper()).read_bytes() == file_server.content
    assert len(file_server.requests) == 1


@pytest.mark.parametrize(
    "url", ["file:///etc/hosts", "ftp://example.org/a.zip", "pairs.zip", "http://example.org/", ""]
)
def test_what_is_not_the_address_of_a_file(tmp_path, url):
    with pytest.raises(UsageError, match="is not the address of a file"):
        download.fetch(url, tmp_path, progress=False)


def test_a_name_cannot_lead_out_of_the_folder(file_server, tmp_path):
    path = fetch(file_server, tmp_path / "in", name="%2e%2e%2fescaped.zip")
    assert path == tmp_path / "in" / "escaped.zip"


def test_a_disk_that_is_too_small_is_noticed_before_the_download(file_server, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    assert "needs 2,000,000 more bytes than are free" in refusal(file_server, tmp_path)
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_is_one_sentence(file_server, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(download.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_request", full)
    assert "the disk of" in refusal(file_server, tmp_path)
