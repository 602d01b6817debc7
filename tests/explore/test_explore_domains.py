"""Other domains: what they are, and that the ones called new are in no split."""

import pytest

from kdsharp.datasets import photos
from kdsharp.explore import domains


@pytest.fixture(scope="module")
def found():
    return domains.domains(96)


def test_new_domains_are_in_no_split_and_the_others_in_train(found):
    bundled = {photo.name for split in ("train", "validation", "test") for photo in photos(split)}
    assert not {file.split(".")[0] for file in domains.UNSEEN.values()} & bundled
    assert set(domains.SEEN.values()) <= {photo.name for photo in photos("train")}
    assert [each.seen for each in found] == [False] * 3 + [True] * 3


def test_each_is_a_picture_of_the_size_that_was_asked(found):
    for each in found:
        assert each.photo.pixels.shape == (96, 96, 3)
        assert each.photo.pixels.std() > 5, each.label
        assert each.label.endswith("*") == each.seen


def test_the_sentence_tells_gain_harm_and_nothing():
    said = domains.sentence({"retina": 0.5, "moon": -0.25, "cells": 0.001})
    assert said == "gains on retina +0.50 dB; **does harm** on moon -0.25 dB; leaves cells as it was"
    assert domains.sentence({"retina": 0.5}) == "gains on retina +0.50 dB; it does no harm anywhere"
    assert domains.sentence({"moon": -1.0}).startswith("gains on none of these; **does harm** on moon")
