"""The first page's clip: what it shows and how soon, and that it moves only for who lets it."""

import numpy as np
import pytest
from playwright.sync_api import expect

from kdsharp.book import clip, pages
from kdsharp.book.serving import serving
from kdsharp.island import modules
from kdsharp.sweep import load_grid
from kdsharp.video import frames

PHONE = 342
"""Pixels that a clip is wide where the screen has 390."""
VALUES = (20, 60, 100, 140, 180)
SHOTS = [
    clip.Shot(name, np.full((160, 240, 3), value, np.uint8), psnr, weights)
    for name, value, psnr, weights in zip(
        ("blurred", "unsharp mask", "a student", "its teacher", "sharp"),
        VALUES,
        (30.0, 30.5, 32.0, 32.5, np.inf),
        (0, 0, 59164, 1426860, 0),
        strict=True,
    )
]


@pytest.fixture(scope="module")
def grid():
    return load_grid("labels")


@pytest.fixture(scope="module")
def film(grid):
    return list(clip.film(SHOTS, grid, 2, (0, 0)))


def test_within_five_seconds_of_twenty_the_photo_was_blurred_masked_and_sharpened_by_the_student(film):
    assert len(film) == 20 * clip.RATE
    assert {each.shape for each in film} == {(clip.HEIGHT, clip.WIDTH, 3)}
    middles = [each[clip.HEIGHT // 3, clip.WIDTH // 2].tolist() for each in film[: 5 * clip.RATE]]
    seen = [value for value in VALUES if [value] * 3 in middles]
    assert seen[:3] == list(VALUES[:3])


def test_left_of_the_border_stands_the_better_one(film):
    for each in film[: clip.RATE * 2]:
        line = each[clip.HEIGHT // 3, :, 0]
        (borders,) = np.nonzero(line == 255)
        if len(borders):
            assert set(line[: borders[0]]) <= {VALUES[1]}
            assert set(line[borders[-1] + 1 :]) <= {VALUES[0]}


def test_no_letter_and_no_mark_stands_where_a_browser_lays_its_controls(film):
    controls = clip.HEIGHT - round(40 * clip.WIDTH / PHONE)
    for each in film:
        assert {*each[controls:, :, 0].ravel().tolist()} <= {*VALUES, 255}


def test_a_clip_is_drawn_alike_each_time_with_letters_that_a_phone_shows_large_enough(film, grid, monkeypatch):
    sizes, font = [], clip._font
    monkeypatch.setattr(clip, "_font", lambda size, bold=False: sizes.append(size) or font(size, bold))
    assert all(np.array_equal(a, b) for a, b in zip(film, clip.film(SHOTS, grid, 2, (0, 0)), strict=True))
    assert min(sizes) * PHONE / clip.WIDTH >= 11


def test_the_slider_ends_at_what_was_measured_with_the_teacher_alone(grid, monkeypatch):
    drawn = []
    draw = clip.ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        clip.ImageDraw.ImageDraw,
        "text",
        lambda self, at, text, **more: drawn.append(text) or draw(self, at, text, **more),
    )
    clip._alpha(grid, 2, 0.0)
    clip._alpha(grid, 2, 0.49)
    clip._alpha(grid, 2, 1.0)
    means = [f"alpha {alpha:g}: {grid.psnr(alpha=alpha, labels=2).mean():.2f} dB" for alpha in (1, 0.75, 0)]
    assert [text for text in drawn if text.startswith("alpha")] == means


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_plays_once_with_a_pause_button_and_stands_still_for_who_asked_for_less_motion(page, grid, tmp_path):
    folder = tmp_path / "_static"
    modules.publish(folder / "island")
    said = clip.write(SHOTS, grid, 2, (0, 0), folder)
    assert (folder / "clip.mp4").stat().st_size < 1_000_000
    assert len(frames.read(folder / "clip.mp4")) == 20 * clip.RATE
    security = f'<meta http-equiv="Content-Security-Policy" content="{pages.policy(True)}">'
    script = '<script type="module" src="_static/island/page.mjs"></script>'
    whole = f'<!doctype html><html lang="en"><head>{security}{script}</head><body>{said}</body></html>'
    (tmp_path / "page.html").write_text(whole, encoding="utf-8")
    with serving(tmp_path) as address:
        page.goto(f"{address}/page.html")
        video = page.locator("video")
        page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
        assert video.evaluate("each => [each.controls, each.muted, each.loop]") == [True, True, False]
        expect(video).to_have_accessible_description(page.locator("figcaption").inner_text())
        assert "a student, 32.00 dB" in page.locator("figcaption").inner_text()
        page.emulate_media(reduced_motion="reduce")
        page.reload()
        page.wait_for_timeout(1500)
        assert video.evaluate("each => [each.paused, each.currentTime]") == [True, 0]
    assert page.errors == []
