"""Figures: what they show is what they were given."""

import io

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from kdsharp import plots
from kdsharp.checks import UsageError
from kdsharp.explore import descent, frequency, penalties, rounding, students, tiles, transformer
from kdsharp.images import to_array
from kdsharp.plots.narrow import NARROW, has_photo, lettering, narrowed


def test_stripes_are_two_bright_points_on_a_dark_ground():
    x = torch.arange(64) / 64
    colours = plots.spectrum_pixels((0.5 + 0.4 * torch.cos(2 * torch.pi * 12 * x)).expand(1, 1, 64, 64))
    assert colours.shape == (64, 64, 4)
    bright, dark = (np.array(matplotlib.colormaps["cividis"](value)) for value in (1.0, 0.0))
    np.testing.assert_allclose(colours[32, [20, 44]], [bright, bright])
    np.testing.assert_allclose(colours[5, 5], dark)


def test_pictures_and_spectra_fit_the_page():
    figure = plots.spectra({name: torch.rand(1, 3, 100, 220) for name in "abc"})
    assert plots.Picture(figure, "three").width == plots.WIDTH


@pytest.mark.parametrize(("count", "columns"), [(4, 64), (1, 221)])
def test_what_does_not_fit_is_refused(count, columns):
    with pytest.raises(UsageError, match="up to 3 pictures"):
        plots.spectra({str(i): torch.rand(1, 3, 64, columns) for i in range(count)})


def test_a_line_with_intervals_has_whiskers_of_their_size():
    made = plots.curves({"bare": ([0, 1], [2, 3]), "measured": ([0, 1], [2, 3], [0.5, 0.25])}, "x", "y")
    (whiskers,) = [each for each in made.axes[0].collections if len(each.get_segments()) == 2]
    assert [[y for _, y in each] for each in whiskers.get_segments()] == [[1.5, 2.5], [2.75, 3.25]]
    assert [text.get_text() for text in made.axes[0].get_legend().get_texts()] == ["bare", "measured"]


def test_scatter_draws_each_group_at_its_place_with_its_line_and_its_labels():
    groups = {"mask": ([0, 1], [0.5, -0.2]), "student": ([0, 1], [1.5, -0.4])}
    made = plots.scatter(groups, "", "gain (dB)", baseline=0, ticks=["shake", "leaves"])
    (axes,) = made.axes
    first, second, line = axes.get_lines()
    assert first.get_ydata().tolist() == [0.5, -0.2]
    assert first.get_xdata() == pytest.approx([-0.08, 0.92])
    assert second.get_xdata() == pytest.approx([0.08, 1.08])
    assert list(line.get_ydata()) == [0, 0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["shake", "leaves"]
    assert axes.get_ylabel() == "gain (dB)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["mask", "student"]


def test_scatter_of_one_group_on_a_logarithmic_axis_needs_no_legend():
    made = plots.scatter({"tiles": ([1, 10, 100], [0, 1, 2])}, "contrast", "gain (dB)", log=True)
    (axes,) = made.axes
    assert axes.get_xscale() == "log"
    assert axes.get_legend() is None
    assert axes.get_lines()[0].get_xdata().tolist() == [1, 10, 100]
    assert made.get_figwidth() * plots.DPI <= plots.WIDTH


def test_a_caption_is_seen_below_the_figure_and_alt_text_is_beside_it(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    plots.show(plots.figure(120, 80), "It < rises.", 'a "line"')
    plots.show(plots.figure(120, 80), "alone")
    captioned, plain = (each.tag() for each in shown)
    assert "<figcaption" in captioned
    assert ">It &lt; rises.</figcaption>" in captioned
    assert 'alt="a &quot;line&quot;"' in captioned
    assert plain.startswith("<img ")
    assert 'alt="alone"' in plain


def places(made):
    """The boxes in pixels of all letters of a figure, after it was drawn."""
    made.canvas.draw()
    texts = [each for each in made.findobj(matplotlib.text.Text) if each.get_visible() and each.get_text().strip()]
    (axes,) = made.axes
    hidden = []  # matplotlib keeps ticks beyond the ends of an axis, and does not draw them
    for labels, (low, high), k in (
        (axes.get_xticklabels(), axes.get_xlim(), 0),
        (axes.get_yticklabels(), axes.get_ylim(), 1),
    ):
        hidden += [each for each in labels if not low <= each.get_position()[k] <= high]
    return {each.get_text(): each.get_window_extent() for each in texts if each not in hidden}


LINES = {f"{name} network": ([0, 1, 2], [26.0, 27.5, 29.0]) for name in ("small", "larger", "largest")}
CHARTS = {
    "curves": lambda: plots.curves(LINES, "the noise-to-signal ratio that the filter was told (no unit)", "PSNR (dB)"),
    "bars": lambda: plots.bars({f"a method {k}": k for k in range(6)}, None, "gain (dB)", 1),
    "pareto": lambda: plots.pareto([{"model": "the teacher", "x": 1e4, "y": 31.0}], "x", "y", "ms", "PSNR (dB)"),
    "scatter": lambda: plots.scatter(LINES, "", "PSNR (dB)", 27, ticks=["gaussian-\n256", "bilinear-\n60", "shake"]),
}


@pytest.mark.parametrize("kind", CHARTS)
def test_on_a_phone_a_chart_is_drawn_anew_with_letters_as_large_and_none_beyond_its_border(kind):
    wide = CHARTS[kind]()
    before = wide.axes[0].get_position().bounds, wide.get_figwidth()
    narrow = narrowed(wide)
    assert narrow.get_figwidth() * plots.DPI == pytest.approx(NARROW)
    assert lettering(narrow) == lettering(wide) >= 11
    height = narrow.get_figheight() * plots.DPI
    for text, box in places(narrow).items():
        assert -1 <= box.x0 <= box.x1 <= NARROW + 1, text
        assert -1 <= box.y0 <= box.y1 <= height + 1, text
    tops, bottoms = narrow.axes[0].get_window_extent().height, wide.axes[0].get_window_extent().height
    assert tops == pytest.approx(bottoms, abs=1)
    assert (wide.axes[0].get_position().bounds, wide.get_figwidth()) == before


def test_on_a_phone_the_title_of_a_chart_stands_above_its_legend():
    made = plots.curves(LINES | {"one with a name that has to be broken into two": ([0, 1], [27.0, 28.0])}, "x", "y")
    made.axes[0].set_title("best at 0.24")
    narrow = narrowed(made)
    (axes,) = narrow.axes
    narrow.canvas.draw()
    assert axes.title.get_window_extent().y0 >= axes.get_legend().get_window_extent().y1
    assert axes.title.get_window_extent().y1 <= narrow.get_figheight() * plots.DPI


def test_on_a_phone_the_title_of_a_picture_is_broken_where_it_would_leave_it():
    title = "asked: orange more, violet less\nhalf on 483 of 8,664 places"
    narrow = narrowed(plots.maps(dict.fromkeys(("a", title), np.eye(40))))
    narrow.canvas.draw()
    boxes = [each.get_window_extent() for each in narrow.texts if each.get_text()]
    assert len(boxes) == 2
    assert all(0 <= box.x0 <= box.x1 <= narrow.get_figwidth() * plots.DPI for box in boxes)
    assert boxes[0].x1 < boxes[1].x0
    assert narrow.texts[1].get_text().replace("\n", " ") == title.replace("\n", " ")


def test_what_a_lesson_adds_to_a_chart_is_on_the_phone_too():
    made = plots.curves(LINES, "x", "y")
    made.axes[0].axhline(26.5, linestyle="--")
    made.axes[0].set_yscale("log")
    (axes,) = narrowed(made).axes
    assert len(axes.get_lines()) == 4
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_on_a_phone_two_photos_stand_beside_each_other_and_keep_the_size_of_every_pixel(count):
    images = {str(k): torch.rand(1, 3, 130, 130) for k in range(count)}
    wide = plots.panels(images, truth=images["0"], at=(7, 2))
    narrow = narrowed(wide)
    shown = [[axes.get_images()[0].get_array() for axes in made.axes] for made in (wide, narrow)]
    for whole, part in zip(*shown, strict=True):
        off = (len(whole) - len(part)) // 2
        assert np.array_equal(whole[off : off + len(part), off : off + len(part)], part)
        assert len(part) >= min(len(whole), 86)
    scales = {
        round(axes.get_window_extent().width / axes.get_images()[0].get_array().shape[1], 3)
        for made in (wide, narrow)
        for axes in made.axes
    }
    assert scales == {2.0}
    assert len({round(axes.get_window_extent().x0) for axes in narrow.axes}) == 2
    assert narrow.get_figwidth() * plots.DPI <= 356


def test_on_a_phone_a_spectrum_stands_beside_its_picture_and_belongs_to_what_is_shown_of_it():
    images = {name: torch.rand(1, 3, 200, 220) for name in "ab"}
    narrow = narrowed(plots.spectra(images))
    for name, left, right in zip("ab", narrow.axes[::2], narrow.axes[1::2], strict=True):
        middle = images[name][..., 24:176, 34:186]
        assert np.array_equal(left.get_images()[0].get_array(), to_array(middle))
        assert np.array_equal(right.get_images()[0].get_array(), plots.spectrum_pixels(middle))
        assert left.get_window_extent().y0 == pytest.approx(right.get_window_extent().y0)
    narrow.canvas.draw()
    for label in narrow.axes[-1].get_xticklabels():
        box = label.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= NARROW, label


def test_a_picture_has_its_narrow_form_for_phones_and_else_can_be_moved_sideways():
    chart = plots.Picture(plots.curves(LINES, "x", "y"), "three")
    assert f'<source media="(max-width: 600px)" srcset="{chart.frame()[2]}" width="350">' in chart.tag()
    assert "data-photo" not in chart.tag()
    assert 'data-lettering="13.9"' in chart.tag()
    drawing = plots.Picture(plots.figure(720, 100), "nothing")
    assert drawing.frame() == [drawing.src(), "nothing"]
    assert drawing.tag().startswith('<div class="kdsharp-pan"><img ')
    assert "data-lettering" not in drawing.tag()


def explorers():
    """A frame of each explorer that is several charts or pictures beside each other."""
    image = torch.rand(1, 3, 220, 220, generator=torch.Generator().manual_seed(0))
    costs = {(8, 2): students.Cost(9_000, 400.0, 30.0, 20), (16, 2): students.Cost(30_000, 900.0, 80.0, 20)}
    maps = image[..., :24, :24]
    yield frequency.render_emphasis(image, image, 0.1, 2)
    yield penalties.render_best(image, 4, 1, at=(20, 20))
    yield descent.render_descent(0.1, 20, steps=3)
    yield students.render_student(image, costs, 8, 2)
    yield rounding.render_steps(maps, maps.flip(-1), 1, 8.0, 16)
    yield transformer.render_attention(image, 4)
    yield transformer.render_tiles(dict.fromkeys("abc", torch.nn.Identity()), image, 64, 8)
    yield plots.Picture(transformer.table_figure(dict.fromkeys("ab", maps[0, 0, :7, :7]), transformer.CHANNELS), "two")
    yield plots.Picture(tiles.seams(image, image, image, 64), "three")


def test_what_stands_side_by_side_stands_below_each_other_on_a_phone():
    for picture in explorers():
        assert picture.width > 400, picture.alt
        assert picture.narrow_width is not None, picture.alt
        assert picture.narrow_width <= 356, picture.alt


def test_a_photo_is_in_its_file_to_the_last_bit_and_twice_as_fine_as_the_page():
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    picture = plots.Picture(plots.panels({"noise": image}, zoom=2), "noise")
    assert "data-photo" in picture.tag()
    found = np.asarray(Image.open(io.BytesIO(picture.content)))
    assert found.shape[1] == 2 * picture.width
    expected = np.kron(to_array(image), np.ones((4, 4, 1), np.uint8))
    windows = np.lib.stride_tricks.sliding_window_view(found, expected.shape)[..., 0, :, :, :]
    assert any(np.array_equal(window, expected) for row in windows for window in row)


def test_whether_a_figure_is_a_photo_and_how_small_its_letters_are_is_found_without_making_ticks_for_photos(
    monkeypatch,
):
    photo, mixed = (
        plots.panels({"noise": torch.rand(1, 3, 40, 40)}, zoom=2),
        plots.spectra({"a": torch.rand(1, 3, 64, 64)}),
    )
    letters = [each for each in mixed.findobj(matplotlib.text.Text) if each.get_text().strip()]
    assert lettering(mixed) == pytest.approx(min(each.get_fontsize() for each in letters) * plots.DPI / 72)
    assert [has_photo(each) for each in (photo, mixed, plots.curves(LINES, "x", "y"))] == [True, True, False]
    monkeypatch.setattr(matplotlib.axis.Axis, "get_major_ticks", lambda *_: pytest.fail("ticks of a photo"))
    assert plots.Picture(photo, "noise").lettering >= 11


def test_who_waits_at_a_slider_gets_a_picture_in_fewer_pixels():
    made = plots.panels({"noise": torch.rand(1, 3, 40, 40)}, zoom=2)
    with plots.quickly():
        quick = plots.Picture(made, "noise")
        chart = plots.Picture(plots.curves(LINES, "x", "y"), "three")
    whole = plots.Picture(made, "noise")
    assert quick.width == whole.width
    assert Image.open(io.BytesIO(quick.content)).width == quick.width
    assert Image.open(io.BytesIO(whole.content)).width == 2 * whole.width
    assert (chart.narrow, len(chart.frame())) == (None, 2)
    assert Image.open(io.BytesIO(chart.content)).width == chart.width
    assert made.dpi == plots.DPI


def test_a_chart_is_lines_alike_each_time_and_one_of_many_points_is_pixels():
    first, again = (plots.Picture(plots.curves(LINES, "x", "y"), "three") for _ in range(2))
    assert first.content.startswith(b"<?xml")
    assert first.content == again.content
    assert b"<image" not in first.content
    assert [each.partition(";")[0] for each in first.frame()[::2]] == ["data:image/svg+xml"] * 2
    at = np.random.default_rng(0).random((2, 2000))
    cloud = plots.Picture(plots.scatter({"tiles": (at[0], at[1])}, "x", "y"), "a cloud")
    assert Image.open(io.BytesIO(cloud.content)).format == "WEBP"
    assert Image.open(io.BytesIO(plots.webp(plots.curves(LINES, "x", "y")))).width == 2 * plots.WIDTH


@pytest.mark.parametrize("draw", [plots.Picture, lambda made, _: plots.webp(made)])
def test_a_figure_that_is_rendered_keeps_its_canvas_and_its_size(draw):
    made = plots.figure(100, 50)
    before = made.canvas
    draw(made, "nothing")
    assert made.canvas is before
    assert made.dpi == plots.DPI


def test_panels_that_fit_a_phone_as_they_are_have_no_other_form():
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert narrowed(plots.panels(dict.fromkeys("abcd", image), difference=False)) is None
    assert narrowed(plots.panels(dict.fromkeys("abcdef", image), difference=False)).get_figwidth() <= 3.56


def test_a_chart_in_pixels_takes_few_bytes_and_keeps_every_pixel():
    shown = plots.webp(
        plots.curves({f"curve {k}": (np.arange(50), np.sin(np.arange(50) / k)) for k in (3, 5, 9)}, "x", "y")
    )
    again = io.BytesIO()
    Image.open(io.BytesIO(shown)).save(again, format="webp", lossless=True, quality=20, method=0)
    assert np.array_equal(Image.open(again), Image.open(io.BytesIO(shown)))
    assert len(shown) < len(again.getvalue()) / 2


def test_on_a_phone_the_note_of_a_mosaic_is_whole_and_no_hole_stands_under_the_truth():
    truth = torch.rand(1, 3, 130, 130, generator=torch.Generator().manual_seed(0))
    made = narrowed(plots.panels({"blurred": truth / 2, "truth": truth}, truth, gain=25))
    wide, high = (round(inches * 100) for inches in made.get_size_inches())
    FigureCanvasAgg(made).draw()
    extents = [text.get_window_extent() for text in made.texts]
    assert min(each.x0 for each in extents) >= 0
    assert max(each.x1 for each in extents) <= wide
    assert high < 3 * 226 + 2 * 50 + 60  # three pictures, two labels, the note


def test_maps_that_belong_together_share_a_range_and_others_have_their_own():
    steps = np.linspace(0, 1, 16).reshape(4, 4)
    three = {"small": steps, "large": 4 * steps, "alone": steps}

    def brightest(**more):
        drawn = plots.maps(three, **more)
        return [axes.images[0].get_array()[-1, -1].tolist() for axes in drawn.axes if axes.images]

    assert len({tuple(each) for each in brightest()}) == 1
    small, large, alone = brightest(together=("small", "large"))
    assert large == alone != small
