"""Lesson 07's channels, tables, tiles and explorers, against plain loops and known limits."""

import io

import pytest
import scipy.ndimage
import torch
from PIL import Image
from torch.nn import functional as F

from kdsharp import plots
from kdsharp.checks import UsageError
from kdsharp.explore import transformer
from kdsharp.explore.tiles import seams
from kdsharp.models import build
from kdsharp.models.restormer import Restormer

PHOTO = torch.rand(1, 3, 96, 120, generator=torch.Generator().manual_seed(0))


def small():
    return Restormer(dim=8, blocks=(1, 1, 1, 1), refinement=1, heads=(1, 2, 2, 4))


def test_channels_are_what_they_are_called():
    ramp = (0.2 + 0.005 * torch.arange(120.0)).expand(1, 3, 96, 120).clone()
    inside = transformer.hand_made_channels(ramp)[0, :, 20:-20, 20:-20].mean((1, 2))
    expected = torch.tensor([0.005, -0.005, 0, 0.005 / 2**0.5, 0, 0, 0])
    torch.testing.assert_close(inside, expected, atol=1e-6, rtol=0)
    assert len(transformer.CHANNELS) == len(inside)
    grey = transformer.hand_made_channels(PHOTO[:, :1].expand(-1, 3, -1, -1))
    assert grey[:, transformer.CHANNELS.index("colour")].abs().max() < 1e-6


def test_shares_by_plain_loops():
    channels = transformer.hand_made_channels(PHOTO)
    flat = channels[0].flatten(1)
    for temperature in (0.0, 5.0):
        cosines = torch.tensor([[F.cosine_similarity(a, b, dim=0).item() for b in flat] for a in flat])
        expected = (temperature * cosines).softmax(1)
        torch.testing.assert_close(transformer.shares(channels, temperature), expected, atol=1e-4, rtol=1e-3)


def test_mixing_by_the_identity_and_by_equal_shares():
    channels = transformer.hand_made_channels(PHOTO)
    assert torch.equal(transformer.mix(channels, torch.eye(7)), channels)
    mixed = transformer.mix(channels, torch.full((7, 7), 1 / 7))
    torch.testing.assert_close(mixed, channels.mean(1, keepdim=True).expand_as(channels))


def test_tables_of_a_network_are_those_that_it_uses():
    network = small().eval()
    seen = {}
    attention = network.latent[0].attn
    attention.register_forward_hook(lambda module, given, out: seen.update(given=given[0], out=out))
    tables = transformer.attention_tables(network, "latent.0", PHOTO)
    assert tables.shape == (4, 16, 16)
    torch.testing.assert_close(tables.sum(-1), torch.ones(4, 16))
    with torch.no_grad():
        values = attention.qkv_dwconv(attention.qkv(seen["given"])).chunk(3, dim=1)[2].flatten(2).unflatten(1, (4, 16))
        again = attention.project_out((tables @ values).reshape(seen["given"].shape))
    torch.testing.assert_close(again, seen["out"])


@pytest.mark.parametrize(
    ("name", "values"), [("report-e-student", 16), ("report-a-student", 32), ("unshuffle-mini", 3)]
)
def test_the_largest_map_by_hand(name, values):
    assert transformer.largest_map(build(name)) == values


def test_the_largest_map_needs_no_memory_on_meta():
    with torch.device("meta"):
        network = Restormer()
    assert transformer.largest_map(network) == 2 * int(96 * 2.66)


@pytest.mark.parametrize("overlap", [0, 1, 5])
def test_tiles_are_exact_once_the_overlap_covers_the_reach(overlap):
    def shift_mean(image):
        return torch.from_numpy(scipy.ndimage.uniform_filter(image.numpy(), (1, 1, 3, 3), mode="nearest"))

    whole, cut = shift_mean(PHOTO), transformer.tiled(shift_mean, PHOTO, 32, overlap)
    assert torch.allclose(whole, cut, atol=1e-6) == (overlap >= 1)
    assert torch.equal(transformer.tiled(lambda image: image, PHOTO, 50, overlap), PHOTO)


def test_the_function_sees_a_tile_and_its_overlap():
    seen = []
    transformer.tiled(lambda image: seen.append(tuple(image.shape[-2:])) or image, PHOTO, 32, 8)
    assert seen[0] == (40, 40)
    assert seen[5] == (48, 48)
    assert len(seen) == 12


def test_work():
    assert transformer.work_factor(64, 0) == 1
    assert transformer.work_factor(64, 32) == 4
    with pytest.raises(UsageError, match="overlap"):
        transformer.tiled(lambda image: image, PHOTO, 32, -1)


@pytest.mark.parametrize("temperature", [0.0, 64.0])
@pytest.mark.parametrize("at", [(0, 0), (32, 56)])
def test_corners_of_the_attention_explorer(temperature, at):
    picture = transformer.render_attention(PHOTO, temperature, at, "noise")
    assert Image.open(io.BytesIO(picture.content)).size == (2 * plots.WIDTH, 2 * 500)
    assert f"temperature {temperature:g}" in picture.alt
    assert transformer.render_attention(PHOTO, temperature, at, "noise").content == picture.content


def test_the_ends_of_the_temperature_are_equal_shares_and_oneself():
    assert "keeps 14% of itself" in transformer.render_attention(PHOTO, 0.0).alt
    assert "keeps 100% of itself" in transformer.render_attention(PHOTO, 1000.0).alt


@pytest.mark.parametrize("tile", [32, 96])
@pytest.mark.parametrize("overlap", [0, 16])
def test_corners_of_the_tile_explorer(tile, overlap):
    networks = {"filter": lambda image: image**2, "global": lambda image: image - image.mean()}
    picture = transformer.render_tiles(networks, PHOTO, tile, overlap)
    assert picture.width == plots.WIDTH
    assert f"Tiles of {tile} pixels with overlap {overlap}" in picture.alt
    assert "filter 0.000" in picture.alt
    assert "global 0.000" not in picture.alt
    assert transformer.render_tiles(networks, PHOTO, tile, overlap).content == picture.content


def test_what_does_not_fit_the_page_is_refused():
    with pytest.raises(UsageError, match="up to 3 networks"):
        transformer.render_tiles(dict.fromkeys("abcd", lambda image: image), PHOTO, 32, 0)


@pytest.mark.parametrize("signed", [False, True])
def test_a_table_shows_its_numbers(signed):
    figure = transformer.table_figure({"one": torch.eye(3), "two": torch.zeros(3, 3)}, "abc", signed)
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00" if i % 4 == 0 else "0.00" for i in range(9)]
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["a", "b", "c"]
    assert figure.get_figwidth() * plots.DPI <= plots.WIDTH


def test_a_race_names_its_winner_and_who_is_below_the_filter():
    raced = {"A": [31.0, 31.2], "B": [28.5, 28.6], "C": [32.0, 32.3]}
    told = transformer.race_sentence(raced, floor=28.0, mask=30.0)
    assert "A minus B **+2.55 ± 0.64 dB**: **A is ahead**. A minus C **-1.05 ± 0.64 dB**: **C is ahead**." in told
    assert "A is **above the mask** (31.10 dB); B is **below the mask** (28.55 dB)" in told
    assert "B is **below the input** (27.05 dB)" in transformer.race_sentence({"A": [31.0], "B": [27.05]}, 28.0, 30.0)


def test_a_race_inside_its_interval_has_no_winner():
    assert "**no difference shown**" in transformer.race_sentence({"A": [29.0, 29.3], "B": [28.9, 29.4]}, 28.0, 30.0)


def test_seams_are_drawn_at_every_tiles_border():
    figure = seams(PHOTO, PHOTO, PHOTO.flip(-1), 32)
    assert len(figure.axes) == 3
    assert len(figure.axes[2].lines) == 5  # at 32, 64, 96 of 120 columns and at 32, 64 of 96 rows
    assert not figure.axes[1].lines
