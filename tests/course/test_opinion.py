"""The blind opinion score: order, blinding, the file, the means, and both forms of showing it."""

import base64
import csv
import re

import numpy as np
import pytest
import torch
from scipy import stats

from kdsharp.checks import UsageError
from kdsharp.course import opinion

SYSTEMS = ("softest", "middle", "crispest")
SCENES = ("wall", "tree", "face", "sky")
STRENGTH = {"softest": 0.02, "middle": 0.06, "crispest": 0.2}


def made_pictures():
    """Noise of a strength that grows from system to system stands for detail; each scene has its own."""
    generator = torch.Generator().manual_seed(0)
    scenes = {scene: torch.rand(1, 3, 40, 48, generator=generator) for scene in SCENES}
    return {system: {scene: 0.4 + STRENGTH[system] * scenes[scene] for scene in SCENES} for system in SYSTEMS}


def contrast_rater(*pictures):
    """Knows nothing but pixels; its grades for the three systems are 1, 3 and 5."""
    spread = [float(picture.max() - picture.min()) for picture in pictures]
    if len(pictures) == 1:
        return 1 + 2 * (spread[0] > 0.04) + 2 * (spread[0] > 0.12)
    return 1 if spread[0] > spread[1] else 2


@pytest.fixture(scope="module")
def pictures():
    return made_pictures()


def rows_of(file):
    with file.open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def test_every_picture_is_rated_once_and_every_pair_compared_once(pictures):
    rating = opinion.OpinionTest(pictures, seed=3)
    assert {(asked.scene, *asked.systems) for asked in rating.rounds} == {(c, s) for c in SCENES for s in SYSTEMS}
    assert len(rating.rounds) == 12
    pairs = opinion.OpinionTest(pictures, seed=3, mode="pairwise")
    met = {(asked.scene, *sorted(asked.systems)) for asked in pairs.rounds}
    assert len(pairs.rounds) == len(met) == 12
    assert {"middle", "softest"} in [set(asked.systems) for asked in pairs.rounds]


@pytest.mark.parametrize("mode", opinion.MODES)
def test_the_seed_decides_the_order(pictures, mode):
    first, again = (opinion.OpinionTest(pictures, 0, mode).rounds for _ in range(2))
    assert first == again
    others = [opinion.OpinionTest(pictures, seed, mode).rounds for seed in range(1, 6)]
    assert all(other != first for other in others)
    assert [asked.scene for asked in first] != sorted((asked.scene for asked in first), key=SCENES.index)


def test_each_system_stands_left_about_half_of_the_time(pictures):
    left = [
        asked.systems[0] < asked.systems[1]
        for seed in range(40)
        for asked in opinion.OpinionTest(pictures, seed, "pairwise").rounds
    ]
    assert 0.4 < np.mean(left) < 0.6


@pytest.mark.parametrize("mode", opinion.MODES)
def test_a_scripted_rater_gives_means_with_intervals(pictures, mode, tmp_path):
    test = opinion.OpinionTest(pictures, 7, mode, tmp_path / "sub" / "opinions.csv").run(contrast_rater)
    wanted = {"softest": 1, "middle": 3, "crispest": 5}
    if mode == "pairwise":
        wanted = {"softest": 0, "middle": 0.5, "crispest": 1}
    assert {system: mean for system, (mean, _) in test.results().items()} == wanted
    half = test.results()["middle"][1]
    values = [3] * 4 if mode == "rating" else [0] * 4 + [1] * 4
    assert half == pytest.approx(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))
    assert "crispest" in test.result_picture().alt


def test_ratings_stand_in_the_order_of_the_scenes(pictures):
    def by_scene(picture):
        return next(
            grade
            for grade, scene in enumerate(SCENES, 1)
            for s in SYSTEMS
            if torch.allclose(picture, pictures[s][scene], atol=0.003)
        )

    assert all(values == [1, 2, 3, 4] for values in opinion.OpinionTest(pictures, 5).run(by_scene).scores().values())


@pytest.mark.parametrize("mode", opinion.MODES)
def test_nothing_shown_before_the_end_tells_the_system_or_the_score(pictures, mode, monkeypatch):
    titles = []
    monkeypatch.setattr(
        opinion, "panels", lambda images, **_: titles.extend(images) or opinion.bars({"x": 1.0}, None, "y")
    )
    test = opinion.OpinionTest(pictures, 1, mode)
    for index in range(len(test.rounds)):
        titles.append(test.question(index).alt)
        with pytest.raises(UsageError, match="stays hidden"):
            test.results()
        test.answer(1)
    everything = " ".join(titles)
    assert "round 12 of 12" in everything
    for name in (*SYSTEMS, *SCENES, "dB", "SSIM"):
        assert name not in everything


@pytest.mark.parametrize("mode", opinion.MODES)
def test_each_answer_is_on_the_disk_before_the_next_question(pictures, mode, tmp_path):
    file = tmp_path / "opinions.csv"
    test = opinion.OpinionTest(pictures, 2, mode, file)
    assert not file.exists()
    for count, asked in enumerate(test.rounds, start=1):
        test.answer(2)
        rows = rows_of(file)
        assert len(rows) == count
        assert rows[-1] == {
            "mode": mode,
            "seed": "2",
            "round": str(count),
            "scene": asked.scene,
            "first": asked.systems[0],
            "second": asked.systems[1] if mode == "pairwise" else "",
            "answer": "2",
        }


def test_after_a_crash_the_test_goes_on_and_a_torn_row_is_asked_again(pictures, tmp_path):
    file = tmp_path / "opinions.csv"
    interrupted = opinion.OpinionTest(pictures, 2, file=file)
    for value in (5, 1, 3):
        interrupted.answer(value)
    file.write_text(file.read_text()[:-3])  # the last row has lost its end
    again = opinion.OpinionTest(pictures, 2, file=file)
    assert again.answers == [5, 1]
    again.run(contrast_rater)
    assert [row["round"] for row in rows_of(file)] == [str(index) for index in range(1, 13)]
    assert opinion.OpinionTest(pictures, 2, file=file).results() == again.results()


def test_a_file_of_another_test_is_refused_and_left_alone(pictures, tmp_path):
    file = tmp_path / "opinions.csv"
    opinion.OpinionTest(pictures, 2, file=file).answer(4)
    before = file.read_text()
    with pytest.raises(UsageError, match="row 1 .* belongs to another test"):
        opinion.OpinionTest(pictures, 3, file=file)
    with pytest.raises(UsageError, match="another test"):
        opinion.OpinionTest(pictures, 2, "pairwise", file)
    assert file.read_text() == before
    file.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="something else"):
        opinion.OpinionTest(pictures, 2, file=file)


def test_impossible_answers_and_pictures(pictures):
    test = opinion.OpinionTest(pictures, 0)
    with pytest.raises(UsageError, match="1, 2, 3, 4, 5, found 6"):
        test.answer(6)
    with pytest.raises(UsageError, match="1, 2, found 3"):
        opinion.OpinionTest(pictures, 0, "pairwise").answer(3)
    test.run(contrast_rater)
    with pytest.raises(UsageError, match="all 12 rounds"):
        test.answer(1)
    with pytest.raises(UsageError, match="rating, pairwise"):
        opinion.OpinionTest(pictures, 0, "stars")
    with pytest.raises(UsageError, match="two systems, found 1"):
        opinion.OpinionTest({"a": pictures["middle"]}, 0)
    with pytest.raises(UsageError, match="at least two, found 1"):
        opinion.OpinionTest({s: {"wall": found["wall"]} for s, found in pictures.items()}, 0)
    with pytest.raises(UsageError, match="b has the scenes wall"):
        opinion.OpinionTest({"a": pictures["middle"], "b": {"wall": pictures["middle"]["wall"]}}, 0)
    with pytest.raises(UsageError, match="shapes differ"):
        opinion.OpinionTest({"a": pictures["middle"], "b": {s: p[..., 1:] for s, p in pictures["middle"].items()}}, 0)


@pytest.mark.parametrize("mode", opinion.MODES)
def test_pressing_the_buttons_rates_blindly_and_ends_with_the_result(pictures, mode, tmp_path):
    test = opinion.OpinionTest(pictures, 4, mode, tmp_path / "opinions.csv")
    box = test.widget()
    view, buttons = box.children[0], box.children[1].children
    assert len(buttons) == (5 if mode == "rating" else 2)
    seen = set()
    while not test.done:
        assert not any(name in view.value or name in button.description for name in SYSTEMS for button in buttons)
        seen.add(view.value)
        buttons[contrast_rater(*test.shown(len(test.answers))) - 1].click()
    assert len(seen) == 12
    assert all(button.disabled for button in buttons)
    assert "crispest" in view.value
    assert test.results()["crispest"][0] == (5 if mode == "rating" else 1)
    assert len(rows_of(tmp_path / "opinions.csv")) == 12


@pytest.mark.parametrize("mode", opinion.MODES)
def test_the_page_shows_one_round_and_says_that_its_result_is_an_example(pictures, mode, tmp_path):
    test = opinion.OpinionTest(pictures, 4, mode, tmp_path / "opinions.csv")
    page = test.page(contrast_rater)
    assert page.count("<button disabled>") == len(test.choices)
    assert "Nobody has rated here" in page
    assert "scripted rater" in page
    alts = re.findall(r'alt="([^"]+)"', page)
    assert len(alts) == 2
    assert "hidden" in alts[0]
    assert not any(name in alts[0] for name in SYSTEMS)
    assert "middle 3.00" in alts[1] if mode == "rating" else "middle 0.50" in alts[1]
    assert test.answers == []
    assert not (tmp_path / "opinions.csv").exists()


@pytest.mark.parametrize(("wish", "live"), [("live", True), ("page", False)])
def test_a_front_end_gets_buttons_and_papermill_the_page(pictures, monkeypatch, wish, live):
    given = []
    monkeypatch.setenv("KDSHARP_EXPLORER", wish)
    monkeypatch.setattr("IPython.display.display", given.append)
    opinion.OpinionTest(pictures, 0)._ipython_display_()
    assert hasattr(given[0], "children") == live


def test_the_picture_of_a_round_is_the_crop_at_an_integer_zoom(pictures):
    test = opinion.OpinionTest(pictures, 0, zoom=4)
    source = test.question(0).src()
    assert base64.b64decode(source.split(",")[1])[8:12] == b"WEBP"
    assert test.question(0).width == 40 * 4 + 8


def test_the_edge_rater_prefers_edges_and_is_fooled_by_noise(pictures):
    assert opinion.edge_rater(pictures["softest"]["sky"], pictures["crispest"]["sky"]) == 2
    assert opinion.edge_rater(pictures["crispest"]["sky"], pictures["softest"]["sky"]) == 1
    assert opinion.edge_rater(torch.full((1, 3, 20, 20), 0.5)) == 1
    assert opinion.edge_rater(pictures["crispest"]["sky"]) == 5
