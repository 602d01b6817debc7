"""The explorer of lesson 15 at the corners of its grid, and the checklist."""

import pytest
import torch

from kdsharp.checks import UsageError
from kdsharp.explore.checklist import ITEMS, Checklist, Item
from kdsharp.explore.reading import agreement, render_agreement
from kdsharp.metrics import ssim

SHARP = torch.rand(1, 3, 120, 120, generator=torch.Generator().manual_seed(0))
NONSENSE = torch.full_like(SHARP, 0.4)


@pytest.mark.parametrize("damage", [0.0, 1.0])
@pytest.mark.parametrize("slip", [0.0, 4.0])
def test_corners(damage, slip):
    picture = render_agreement(SHARP, NONSENSE, damage, slip)
    assert picture.width <= 720
    assert f"{damage:.0%}" in picture.alt
    assert render_agreement(SHARP, NONSENSE, damage, slip).content == picture.content


def test_agreement_with_nonsense_is_easy_and_worthless():
    teacher, student = agreement(SHARP, NONSENSE, 1.0, 4.0)
    assert ssim(student, teacher) > 0.99
    assert ssim(student, SHARP) < 0.1
    teacher, student = agreement(SHARP, NONSENSE, 0.0, 4.0)
    assert ssim(student, teacher) < 0.5


def test_the_list_is_written_with_its_lessons():
    text = Checklist([Item("Data", "One?", 3), Item("Data", "Two?", 9), Item("Claims", "Three?", 13)]).markdown()
    assert text.count("- [ ] ") == 3
    assert text.count("## ") == 2
    assert "- [ ] Two? (lesson 09)" in text
    with pytest.raises(UsageError):
        Checklist([])


def test_every_question_belongs_to_a_lesson_and_ends_as_a_sentence():
    assert len({item.question for item in ITEMS}) == len(ITEMS)
    for item in ITEMS:
        assert 0 <= item.lesson <= 15
        assert item.question.endswith(".")
    assert 15 in {item.lesson for item in ITEMS}
