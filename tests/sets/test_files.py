"""A set of single files: the list that comes with kdsharp, and what arrives over a line that is cut."""

import hashlib

import pytest

from kdsharp import datasets
from kdsharp.checks import UsageError
from kdsharp.sets import files, set_row


@pytest.fixture
def rows(file_server):
    """Three names for the file that the server has."""
    sum_of = hashlib.sha256(file_server.content).hexdigest()
    file_server.kind = "image/png"
    return [{"file": f"mine-{name}.png", "sha256": sum_of, "path": f"deep/{name}.png"} for name in "abc"]


def test_the_list_of_photos_names_each_file_its_checksum_and_its_place():
    found = files.listed(set_row("photos")["files"])
    assert len(found) == len({row["file"] for row in found}) == len({row["path"] for row in found}) == 150
    assert all(len(row["sha256"]) == 64 and row["path"].endswith(".png") for row in found)


def test_the_photos_of_the_list_are_those_that_lie_here(real_data):
    if not (real_data / "photos").is_dir():
        pytest.skip("the photos do not lie beside the pairs")
    paths = datasets.folder_paths(real_data / "photos")[0]
    assert files.known(paths) == "photos"
    assert files.known(paths[1:]) == "photos"


def test_another_file_or_another_content_is_no_photo_of_the_set(tmp_path):
    name = files.listed("photos-cid22.tsv")[0]["file"]
    for path in (tmp_path / name, tmp_path / "mine.png"):
        path.write_bytes(b"mine")
        assert files.known([path]) is None


def test_files_arrive_under_their_names_and_are_not_fetched_twice(rows, file_server, tmp_path):
    base = file_server.url("base")
    file_server.cuts = [1000]  # a cut line goes on where it was
    found = files.fetch_listed(rows, base, tmp_path / "photos", progress=False)
    assert [path.name for path in found] == ["mine-a.png", "mine-b.png", "mine-c.png"]
    assert sorted(path.name for path in (tmp_path / "photos").iterdir()) == [path.name for path in found]
    asked = len(file_server.requests)
    assert asked == 4
    found[1].write_bytes(b"damaged")
    files.fetch_listed(rows, base, tmp_path / "photos", progress=False)
    assert len(file_server.requests) == asked + 1
    assert files.is_whole(found[1], rows[1]["sha256"])


def test_a_file_that_is_another_one_is_refused_and_those_before_it_stay(rows, file_server, tmp_path):
    rows[1]["sha256"] = "0" * 64
    with pytest.raises(UsageError, match="not the expected"):
        files.fetch_listed(rows, file_server.url("base"), tmp_path / "photos", progress=False)
    assert [path.name for path in (tmp_path / "photos").glob("*.png")] == ["mine-a.png"]


def test_the_command_says_the_licence_and_refuses_what_does_not_fit(kdsharp, file_server):
    file_server.statuses = [404]
    done = kdsharp("data", "get", "photos", "--url", file_server.url("base"))
    assert done.returncode == 2
    assert "CC BY-SA 4.0" in done.stdout
    assert "answers 404" in done.stderr
    assert "do not fit" in kdsharp("data", "get", "photos", "--archive", "a.zip").stderr
