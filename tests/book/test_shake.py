"""A shake that the reader draws: the page's numbers are NumPy's, and it works by mouse, finger and keyboard."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

from kdsharp import kernels
from kdsharp.explore import known_blur, shake
from kdsharp.images import quantize, to_tensor
from kdsharp.island.files import webp
from kdsharp.metrics import psnr

RUN = """async ([own, planes, path, lens, ratio, photo, side]) => {
  const { camera, filter, inverse, wiener } = await import(own);
  const { file, load, psnr } = await import(planes);
  const truth = await load(photo, side), blur = camera(path, lens, side), begin = performance.now();
  const taken = filter(truth, blur, side), milliseconds = performance.now() - begin;
  const kept = taken.map(file), undone = filter(taken, inverse(blur), side);
  const rounded = filter(kept, inverse(blur), side);
  const careful = filter(kept, wiener(blur, ratio), side);
  const score = psnr(careful, truth);
  const few = (planes) => planes.map((plane) => Array.from(plane.filter((_, k) => k % 97 === 0)));
  return { channels: truth.length, taken: few(taken), undone: few(undone), careful: few(careful),
    rounded: few(rounded), score, milliseconds,
    levels: kept.map((plane) => Array.from(plane, (value) => Math.round(255 * value))) };
}"""


@pytest.fixture
def open_island(tmp_path):
    def call(page):
        (tmp_path / "shake.html").write_text(shake.Shake().document("Shake"), encoding="utf-8")
        page.goto((tmp_path / "shake.html").as_uri())
        page.wait_for_selector("[data-ready]")
        return page

    return call


def score_under(page, title):
    figure = page.locator("figure", has=page.get_by_text(title, exact=True))
    return figure.locator("figcaption").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("photo", "preset", "channels"),
    [
        pytest.param("a page of text", "jerk", 1, marks=pytest.mark.long),
        ("a face", "loop", 3),
    ],
)
def test_the_page_blurs_and_undoes_as_numpy_does(page, photo, preset, channels):
    from kdsharp.island import modules

    pixels, path = shake.bundled()[photo], shake.presets()[preset].round(3)
    path -= path.mean(axis=1, keepdims=True)
    addresses = [modules.address("shake"), modules.address("planes")]
    page.goto("about:blank")
    given = [*addresses, path.T.tolist(), 0.8, 1e-2, webp(pixels), shake.SIDE]
    found = page.evaluate(RUN, given)
    sharp = to_tensor(pixels)[:, :channels]
    spot = shake.spot(path, 0.8)
    expected = shake.undo(sharp, spot, 1e-2)
    levels = np.reshape(found["levels"], sharp.shape)
    assert np.mean(levels != (quantize(expected["as taken"]) * 255).round().numpy()) < 1e-3  # ties may fall either way
    wiener = known_blur.wiener_gain(spot, shake.SIDE, shake.SIDE, 1e-2)
    expected["8 bits, with care"] = known_blur.filter_spectrum(torch.from_numpy(levels / 255), wiener)
    pairs = {"taken": "as taken", "undone": "undone", "careful": "8 bits, with care"}
    assert found["channels"] == channels
    for name, key in pairs.items():
        wanted = expected[key][0].reshape(channels, -1)[:, ::97].numpy()
        assert np.abs(np.array(found[name]) - wanted).max() < 1e-4, name
    assert np.abs(np.array(found["undone"]) - sharp[0].reshape(channels, -1)[:, ::97].numpy()).max() < 1e-6
    assert np.abs(found["rounded"]).max() > 2  # it explodes
    assert found["score"] == pytest.approx(
        psnr(quantize(expected["8 bits, with care"]), sharp.double()).item(), abs=1e-3
    )
    assert found["milliseconds"] < 2000 * channels


def test_a_spot_has_sum_1_and_without_a_lens_it_is_the_path():
    path = shake.presets()["straight slide"]
    path = path - path.mean(axis=1, keepdims=True)
    assert shake.spot(path, 0.8).sum().item() == pytest.approx(1)
    trace, bare = kernels.splat(*path), shake.spot(path, 0)
    edge = (bare.shape[-1] - trace.shape[-1]) // 2
    assert (bare[edge:-edge, edge:-edge] - trace).abs().max() < 1e-6


def test_only_with_a_soft_lens_does_rounding_throw_the_photo_away():
    """What the docstring says of a thin trace."""
    sharp = to_tensor(shake.bundled()["a page of text"])[:, :1]
    path = shake.presets()["trembling hand"]
    lost = [shake.undo(sharp, shake.spot(path, lens), 1e-4) for lens in (0, 0.8)]
    scores = [{name: psnr(quantize(each), sharp.double()).item() for name, each in found.items()} for found in lost]
    assert scores[0]["8 bits, undone"] > scores[0]["as taken"]
    assert scores[1]["8 bits, undone"] < scores[1]["as taken"] < scores[1]["8 bits, with care"] - 3


@pytest.mark.browser
def test_she_drags_and_undoes_and_turns_until_the_page_can_be_read(page, open_island):
    open_island(page)
    before = score_under(page, "The photo, as taken")
    box = page.locator(".kdsharp-field").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 200)
    page.mouse.down()
    for step in range(30):
        page.mouse.move(box["x"] + 40 + 5 * step, box["y"] + 200 - 3 * step + 20 * (step % 7 > 3))
    page.mouse.up()
    page.wait_for_selector("[data-shaken='2']")
    taken = float(score_under(page, "The photo, as taken").split()[0])
    assert f"{taken:.2f} dB" != before
    assert score_under(page, "Undo, knowing the path") == "not drawn yet"
    page.get_by_role("button", name="undo, knowing the path").click()
    assert score_under(page, "Undo, knowing the path") == "identical to the truth"
    page.get_by_role("button", name="nothing to be seen").click()
    assert "You expected: nothing to be seen. It came out: worse than not undone." in score_under(
        page, "Save as 8 bits, and undo"
    )
    ratio, careful = page.get_by_role("slider", name=re.compile("noise-to-signal")), "8 bits, undone with care"
    scores = []
    for _ in shake.RATIOS[1:]:
        ratio.press("ArrowLeft")
        scores.append(float(score_under(page, careful).split()[0]))
    assert max(scores) > taken + 3
    assert scores.index(max(scores)) < len(scores) - 1  # turned too far it explodes again
    assert page.errors == []
    assert page.asked == []


@pytest.mark.browser
def test_on_a_phone_by_finger_and_preset_and_with_a_photo_of_her_own(chrome, open_island, tmp_path):
    phone = chrome.new_page(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    problems, asked = [], []
    phone.on("pageerror", lambda error: problems.append(str(error)))
    open_island(phone)
    phone.on("request", lambda request: asked.append(request.url))
    phone.get_by_role("button", name="loop").focus()
    phone.keyboard.press("Enter")
    assert "As wide as a straight slide of" in phone.locator("[role=status]").inner_text()
    phone.locator(".kdsharp-field").tap()
    assert "You held still" in phone.locator("[role=status]").inner_text()
    assert phone.evaluate("getComputedStyle(document.querySelector('.kdsharp-field')).touchAction") == "none"
    Image.effect_noise((400, 300), 60).save(tmp_path / "own.png")
    phone.locator("input[type=file]").set_input_files(tmp_path / "own.png")
    phone.wait_for_selector("[data-shaken='4']")
    assert phone.evaluate("document.querySelector('select').selectedOptions[0].textContent") == "own.png"
    brightness = """() => Math.max(...[...document.querySelectorAll('.kdsharp-shots canvas')].map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.reduce((sum, value, k) => sum + (k % 4 < 3 ? value : 0), 0) / data.length / 0.75; }))"""
    assert phone.evaluate(brightness) < 200
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    phone.locator("input[type=file]").set_input_files(tmp_path / "clear.png")
    phone.wait_for_function(f"({brightness})() > 250")  # what is transparent stands on white
    (tmp_path / "none.png").write_bytes(b"no picture")
    phone.locator("input[type=file]").set_input_files(tmp_path / "none.png")
    phone.wait_for_function("document.querySelector('[role=status]').textContent.includes('not a photo')")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == []
    assert problems == []
    phone.close()


def test_its_still_says_what_came_out_and_lesson_3s_says_nothing_of_undoing():
    still, taken = shake.Shake().still(), shake.Shake(undo=False).still()
    assert "undone with the path known" in still
    assert "undone identical" in still
    assert re.search(r"8 bits, undone \d+\.\d\d dB, 8 bits, with care \d+", still)
    assert re.search(r"As taken \d+\.\d\d dB\.", taken)
    assert "undone" not in taken
