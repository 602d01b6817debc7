"""Export: the ONNX file answers as PyTorch does, at every size, as floats and as pixels."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from typer.testing import CliRunner

from kdsharp import checkpoints, cli, datasets, degrade, evaluate, export, images, inference
from kdsharp.checks import UsageError
from kdsharp.export import measure
from kdsharp.models import MODELS, build
from kdsharp.models.branches import add_branches, fold_branches
from kdsharp.models.unet import ResidualUNet


def moved(model, by=0.05):
    """The network with every weight a little moved, so that nothing in it is zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(by * torch.randn(value.shape, generator=generator))
    return model.eval().requires_grad_(False)


def grey_net():
    torch.manual_seed(3)
    return moved(ResidualUNet((8, 8), (1, 1), (0,), factor=4, ends=1, grey=True))


def photo(height, width, seed=0):
    coarse = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(seed))
    return images.quantize(F.interpolate(coarse, (height, width), mode="bicubic"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One network in four files: float and pixels, folded and not, and in 8 bits."""
    folder, model = tmp_path_factory.mktemp("export"), add_branches(grey_net())
    for module in model.modules():  # branches that do something
        if hasattr(module, "narrow"):
            nn.init.normal_(module.narrow, std=0.05, generator=torch.Generator().manual_seed(2))
    calibration = [photo(48, 64, seed).numpy() for seed in range(4)]
    return model, {
        "float": export.export(model, folder / "float.onnx"),
        "unfolded": export.export(model, folder / "unfolded.onnx", fold=False),
        "pixels": export.export(model, folder / "pixels.onnx", pixels=True),
        "int8": export.export(model, folder / "int8.onnx", calibration=calibration),
    }


@pytest.mark.parametrize("form", ["float", "unfolded"])
@pytest.mark.parametrize("size", [(32, 48), (33, 41), (17, 70), (3, 5), (1, 1), (40, 2)])
def test_the_file_answers_as_pytorch(files, form, size):
    model, paths = files
    image = photo(*size)
    small = F.pad(image, (0, max(0, 16 - size[1]), 0, max(0, 16 - size[0])), mode="replicate")
    expected = model(small)[..., : size[0], : size[1]]
    assert (expected - image).abs().max() > 0.01
    torch.testing.assert_close(export.Session(paths[form])(image), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(32, 48), (33, 41), (1, 1)])
def test_pixels_come_back_as_pytorch_would_round_them(files, size):
    model, paths = files
    pixels = images.to_array(photo(*size))
    expected = images.to_array(
        model(photo(max(16, size[0]), max(16, size[1])) if size != (1, 1) else photo(1, 1).expand(1, 3, 16, 16))
    )
    answer = export.Session(paths["pixels"]).pixels(pixels)
    assert (answer.dtype, answer.shape) == (np.uint8, pixels.shape)
    assert np.abs(answer.astype(int) - expected[: size[0], : size[1]]).max() <= 1


def test_both_forms_serve_floats_and_pixels(files):
    image = photo(40, 48)
    floats, pixels = (export.Session(files[1][form]) for form in ("float", "pixels"))
    torch.testing.assert_close(pixels(image), images.quantize(floats(image)), rtol=0, atol=1.01 / 255)
    difference = floats.pixels(images.to_array(image)).astype(int) - pixels.pixels(images.to_array(image))
    assert np.abs(difference).max() <= 1


def test_bright_and_dark_pixels_saturate(files):
    model, paths = files
    extremes = np.zeros((32, 32, 3), np.uint8)
    extremes[:, 16:] = 255
    answer = export.Session(paths["pixels"]).pixels(extremes)
    assert np.abs(answer.astype(int) - images.to_array(model(images.to_tensor(extremes)))).max() <= 1


def test_eight_bits_stay_close_and_compute_in_integers(files):
    model, paths = files
    image = photo(48, 64, seed=9)
    error = (export.Session(paths["int8"])(image) - model(image)).square().mean()
    assert error < 0.01 * (model(image) - image).square().mean()
    kinds = {node.op_type for node in onnx.load(paths["int8"]).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    weights = [tensor.data_type for tensor in onnx.load(paths["int8"]).graph.initializer if len(tensor.dims) == 4]
    assert set(weights) == {onnx.TensorProto.INT8}
    kept = [
        onnx.numpy_helper.to_array(each) for each in onnx.load(paths["int8"]).graph.initializer if len(each.dims) == 4
    ]
    assert 60 <= max(np.abs(each.astype(int)).max() for each in kept) <= 64, "without VNNI larger ones are cut off"


def test_the_bundled_tiny_loses_nothing_to_eight_bits(tmp_path):
    pairs = list(datasets.synthetic_pairs(degrade.protocol("motion"), datasets.photos("test")[:2]))
    network = checkpoints.load("tiny").model
    path = export.export(network, tmp_path / "int8.onnx", calibration=measure.calibration_images("motion", 8))
    whole, few = (evaluate.image_scores(each, pairs).mean() for each in (network, export.Session(path)))
    assert abs(whole - few) < 0.1


def test_folding_leaves_one_strided_convolution_for_luma_and_unshuffling(files):
    kinds = {form: [node.op_type for node in onnx.load(files[1][form]).graph.node] for form in ("float", "unfolded")}
    assert len(kinds["float"]) < len(kinds["unfolded"])
    assert not {"Einsum", "ReduceSum", "SpaceToDepth"} & set(kinds["float"])


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("ends", [1, 3])
@pytest.mark.parametrize("factor", [2, 4])
def test_the_folded_stem_is_the_stem(factor, ends, grey):
    model, image = moved(ResidualUNet((6,), (1,), factor=factor, ends=ends, grey=grey)), torch.rand(2, 3, 24, 32)
    expected = model.stem(images.luma(image) if grey else image)
    torch.testing.assert_close(export.fold_stem(model)(image), expected, rtol=1e-4, atol=1e-5)


def test_branches_change_no_answer_when_added_or_folded_but_learn():
    model, image = moved(build("unshuffle-mini")), torch.rand(1, 3, 20, 24)
    keys, before = set(model.state_dict()), model(image)
    add_branches(model)
    torch.testing.assert_close(model(image), before)
    model.requires_grad_(True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model(image).square().mean().backward()
        optimizer.step()
    branch = next(module for module in model.modules() if hasattr(module, "narrow"))
    assert branch.narrow.abs().max() > 0
    assert branch.one.abs().max() > 0
    trained = model(image).detach()
    assert (trained - before).abs().max() > 1e-3
    fold_branches(model)
    torch.testing.assert_close(model(image), trained)
    assert set(model.state_dict()) == keys


def test_exporting_leaves_the_network_as_it_was(files):
    model, _ = files
    assert any(hasattr(module, "narrow") for module in model.modules())
    assert model(photo(32, 32)).isfinite().all()


@pytest.mark.parametrize("name", ["report-e-student"])
def test_networks_that_are_no_u_net_of_ours_export_too(name, tmp_path):
    model, image = moved(build(name), 0.02), photo(35, 50)
    assert name in MODELS
    with torch.no_grad():
        expected = model(image)
    path = export.export(model, tmp_path / "net.onnx")
    torch.testing.assert_close(export.Session(path)(image)[..., :-8, :-8], expected[..., :-8, :-8], rtol=0, atol=1e-4)


def test_a_foreign_a_damaged_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"does not exist; write it with: kdsharp export MODEL"):
        export.load(tmp_path / "none.onnx")
    with pytest.raises(UsageError, match=r"does not exist; write it with: kdsharp export MODEL"):
        evaluate.contestants([str(tmp_path / "none.onnx")], "shake")
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"broken.onnx is damaged or no ONNX file that runs here"):
        export.load(tmp_path / "broken.onnx")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    answer = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "g", [value], [answer])
    opsets = [onnx.helper.make_opsetid("", 20)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10), tmp_path / "foreign.onnx")
    with pytest.raises(UsageError, match=r"foreign.onnx was not written by `kdsharp export`: it takes 'x'"):
        export.load(tmp_path / "foreign.onnx")


def test_sharpening_asks_an_exported_network_for_pixels():
    class Exported:
        def __call__(self, image):
            return image + 0.2

        def pixels(self, pixels):
            return 255 - pixels

    pixels = images.to_array(photo(32, 40)) // 2
    np.testing.assert_array_equal(inference.sharpen(Exported(), pixels), 255 - pixels)
    half = inference.sharpen(Exported(), pixels, strength=0.5)
    assert np.abs(half - (pixels + 25.5)).max() <= 1


def test_a_table_takes_onnx_files(files):
    functions = evaluate.contestants([str(files[1]["float"])], "shake")
    rows = evaluate.evaluate(functions, [("one", photo(32, 40), photo(32, 40, 1))], "shake", timing=False)
    assert [row.model for row in rows] == ["input", "unsharp", str(files[1]["float"])]


def test_the_command_writes_a_file_that_sharpen_takes(files, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "FULL_HD", (64, 96, 3))
    checkpoint = checkpoints.save(tmp_path / "net.safetensors", build("unshuffle-mini"), "unshuffle-mini")
    run, out = CliRunner(), tmp_path / "net.onnx"
    done = run.invoke(cli.app, ["export", str(checkpoint), str(out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "largest difference" in done.output
    picture = images.write(tmp_path / "in.png", images.to_array(photo(40, 56)))
    for name, options in (("file", ["--model", str(out)]), ("way", ["--model", str(checkpoint), "--runtime", "onnx"])):
        command = ["sharpen", str(picture), "--out", str(tmp_path / name), *options]
        assert run.invoke(cli.app, command, catch_exceptions=False).exit_code == 0
        np.testing.assert_array_equal(images.read(tmp_path / name / "in.png"), images.read(picture))


def test_the_command_wants_an_onnx_name_and_a_known_runtime(tmp_path):
    run = CliRunner()
    with pytest.raises(UsageError, match=r"net.bin does not end in .onnx"):
        run.invoke(cli.app, ["export", "small", str(tmp_path / "net.bin")], catch_exceptions=False)
    with pytest.raises(UsageError, match=r"unknown runtime 'tpu'; choose one of: torch, onnx"):
        run.invoke(cli.app, ["sharpen", "a.png", "--out", str(tmp_path), "--runtime", "tpu"], catch_exceptions=False)


def test_an_exported_network_knows_the_largest_piece_that_it_may_see(tmp_path, monkeypatch):
    network = build("unet-tiny", 0).eval()
    assert not hasattr(export.Session(export.export(network, tmp_path / "a.onnx", pixels=True)), "whole")
    network.whole = 2_000
    session = export.Session(export.export(network, tmp_path / "b.onnx", pixels=True))
    assert session.whole == 2_000
    seen, real = [], session.pixels
    monkeypatch.setattr(session, "pixels", lambda photo: seen.append(photo.shape) or real(photo))
    inference.sharpen(session, np.zeros((50, 50, 3), np.uint8))
    assert seen == [(50, 50, 3)]  # one tile holds it, but it went through the tiles
