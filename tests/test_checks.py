"""Argument checks: what passes, and what the message says when something does not."""

import errno
import math

import pytest
import torch

from kdsharp.checks import (
    UsageError,
    atomic_path,
    check_images,
    check_name,
    check_positive,
    check_range,
    make_folder,
)


def test_a_known_name_comes_back():
    assert check_name("b", iter(["a", "b"]), "letter") == "b"


def test_an_unknown_name_lists_the_allowed_ones_and_the_nearest():
    with pytest.raises(
        UsageError, match=r"unknown filter 'unsharpp' \(did you mean 'unsharp'\?\); .*unsharp, laplacian"
    ):
        check_name("unsharpp", ["unsharp", "laplacian"], "filter")


def test_a_name_unlike_any_other_gets_no_suggestion():
    with pytest.raises(UsageError) as caught:
        check_name("zzz", ["unsharp"], "filter")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_range_includes_its_ends(value):
    assert check_range(value, 0, 1, "alpha") == value


@pytest.mark.parametrize("value", [-0.001, 1.001, math.nan, math.inf])
def test_range_refuses_what_lies_outside_and_nan(value):
    with pytest.raises(UsageError, match="alpha is .* between 0 and 1"):
        check_range(value, 0, 1, "alpha")


def test_positive():
    assert check_positive(1e-9, "radius") == 1e-9
    for value in (0, -1, math.nan):
        with pytest.raises(UsageError, match="radius is .* above 0"):
            check_positive(value, "radius")


def test_images_of_one_shape_pass():
    check_images(torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 4, 5), channels=3)


def test_images_of_two_shapes_show_both():
    with pytest.raises(UsageError, match=r"\(1, 3, 4, 5\) against \(1, 3, 5, 4\)"):
        check_images(torch.zeros(1, 3, 4, 5), torch.zeros(1, 3, 5, 4))


@pytest.mark.parametrize("wrong", [torch.zeros(3, 4, 5), torch.zeros(1, 3, 4, 5, dtype=torch.uint8), [[0.0]]])
def test_images_of_another_kind_are_refused(wrong):
    with pytest.raises(UsageError, match=r"expected a float tensor of shape \(B, C, H, W\)"):
        check_images(wrong)


def test_images_with_other_channels_are_refused():
    with pytest.raises(UsageError, match=r"expected 3 channels, found shape \(1, 1, 4, 5\)"):
        check_images(torch.zeros(1, 1, 4, 5), channels=3)


def test_usage_error_is_a_value_error():
    assert issubclass(UsageError, ValueError)


def test_atomic_path_makes_folders_keeps_the_suffix_and_renames(tmp_path):
    goal = tmp_path / "a" / "b" / "note.txt"
    with atomic_path(goal) as temporary:
        assert temporary.suffix == ".txt"
        assert temporary.parent == goal.parent
        temporary.write_text("whole")
        assert not goal.exists()
    assert goal.read_text() == "whole"
    assert list(goal.parent.iterdir()) == [goal]


def test_atomic_path_replaces_what_was_there(tmp_path):
    goal = tmp_path / "note.txt"
    goal.write_text("old")
    with atomic_path(goal) as temporary:
        temporary.write_text("new")
        assert goal.read_text() == "old"
    assert goal.read_text() == "new"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_atomic_path_leaves_nothing_when_the_block_fails(tmp_path, failure):
    def half_write():
        with atomic_path(tmp_path / "note.txt") as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises(failure):
        half_write()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_and_a_folder_in_the_way_are_one_sentence_and_leave_nothing(tmp_path):
    def full():
        with atomic_path(tmp_path / "note.txt"):
            raise OSError(errno.ENOSPC, "anything")

    with pytest.raises(UsageError, match=r"note.txt cannot be written \(No space left on device\)"):
        full()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "note.txt").mkdir()
    with (
        pytest.raises(UsageError, match=r"note.txt is a folder; a file"),
        atomic_path(tmp_path / "note.txt") as temporary,
    ):
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_a_failed_rewrite_keeps_the_old_file(tmp_path):
    goal = tmp_path / "note.txt"
    goal.write_text("old")
    with pytest.raises(TypeError), atomic_path(goal) as temporary:
        temporary.write_text(3)
    assert goal.read_text() == "old"
    assert list(tmp_path.iterdir()) == [goal]


def test_a_file_in_the_way_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="a file stands in its way"):
            make_folder(folder)


def test_a_folder_that_cannot_be_written():
    with pytest.raises(UsageError, match="cannot write into /proc/kdsharp"):
        make_folder("/proc/kdsharp")


def test_make_folder_leaves_no_trace_of_its_trial(tmp_path):
    assert make_folder(tmp_path / "new") == tmp_path / "new"
    assert list((tmp_path / "new").iterdir()) == []
