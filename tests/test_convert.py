"""What was converted answers as the export does, in runtimes that are not TensorFlow's."""

import dataclasses
import sys
import types

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.python.convert_phase import ConverterError

import tfgen
from tests.servables import spec, write
from tests.specimens import SHAPE, compiled, discriminator
from tfgen import __main__ as command
from tfgen import distributions, networks
from tfgen.serving.convert import TARGETS, convert

pytestmark = pytest.mark.slow  # the converters compile whole graphs, twice over


def dcgan():
    """Transposed convolutions, batch normalization, an average of the weights."""
    made = networks.dcgan_generator(SHAPE, latent_dim=3, filters=4)
    return tfgen.GAN(made, discriminator(), distributions.Uniform(3), ema_momentum=0.9)


def cyclegan():
    """Padding by reflection, instance normalization."""
    translators = (networks.resnet_generator(SHAPE, filters=4, blocks=1) for _ in range(2))
    return tfgen.CycleGAN(*translators, discriminator(), discriminator())


MODELS = {
    "vae": lambda: compiled("mlp_vae"),
    "dcgan": dcgan,
    "cgan": lambda: compiled("cgan"),
    "cyclegan": cyclegan,
}
# The names of outputs in a file of ONNX, where an input and an output are never called the same.
CONVERTED = {
    ("vae", "encode"): ["mean", "standard_deviation"],
    ("dcgan", "serving_default"): ["images"],
    ("cgan", "serving_default"): ["images"],
    ("cyclegan", "translate_b_to_a"): ["output_images"],
}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Exports of models in which no weight is as it began: statistics and averages differ too."""
    folder, random = tmp_path_factory.mktemp("exports"), np.random.default_rng(1)
    for name, build in MODELS.items():
        model = build()
        for variable in model.variables:
            if variable.dtype.startswith("float"):
                variable.assign(variable + 0.1 * random.random(variable.shape))
        tfgen.export(model, folder / name)
    return folder


def run_onnx(file, name, inputs):
    """Returns outputs by name."""
    session = onnxruntime.InferenceSession(file)
    assert {each.name for each in session.get_inputs()} == set(inputs)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def run_litert(file, name, inputs):
    runner = Interpreter(str(file)).get_signature_runner(name)
    assert set(runner.get_input_details()) == set(inputs)
    return runner(**inputs)


RUN = {"onnx": run_onnx, "litert": run_litert}


def requests(function, rows):
    """Returns a batch for a signature: images, numbers below and above zero, labels in turn."""
    random, (_, specs) = np.random.default_rng(rows), function.structured_input_signature
    return {
        key: (random.random if key == "images" else random.normal)(
            size=[rows, *each.shape[1:]]
        ).astype(np.float32)
        if each.dtype.is_floating
        else np.arange(4, 4 + rows, dtype=np.int32)
        for key, each in specs.items()
    }


@pytest.mark.parametrize(("name", "signature"), CONVERTED)
def test_the_file_answers_as_the_export(name, signature, exports, tmp_path):
    loaded = tf.saved_model.load(str(exports / name / "1"))
    function = loaded.signatures[signature]
    names = {"onnx": CONVERTED[name, signature], "litert": sorted(function.structured_outputs)}
    for target in TARGETS:
        file = convert(exports / name, target, signature, tmp_path / "new" / "file")
        for rows in (1, 3):
            inputs = requests(function, rows)
            expected = function(**{key: tf.constant(value) for key, value in inputs.items()})
            outputs = RUN[target](file, signature, inputs)
            assert sorted(outputs) == names[target]
            for key, value in outputs.items():
                own = expected[key.removeprefix("output_")]
                np.testing.assert_allclose(value, own, rtol=1e-5, atol=1e-5, strict=True)


@pytest.mark.parametrize("target", TARGETS)
def test_what_draws_numbers_is_refused(target, exports, tmp_path, capfd):
    with pytest.raises(
        ValueError, match="missing there .*StatelessRandomNormalV2.*latents"
    ) as told:
        convert(exports / "vae", target, "sample", tmp_path / "file")
    assert str(told.value).endswith(
        "There are also: encode, impute, reconstruct, score, serving_default."
    )
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr().err == ""  # none of what the packages write about it


def _grow(images):
    return {"images": tf.image.resize(images, [9, 9], "bicubic")}


def _loop(x):
    return {"y": tf.map_fn(tf.math.expm1, x)}


def _log_gamma(x):
    return {"y": tf.cond(tf.reduce_sum(x) < 0.0, lambda: tf.math.lgamma(x), lambda: x)}


def _draw(x):
    return {"y": x + tf.random.normal(tf.shape(x))}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Signatures that no model here has."""
    signatures = {
        "draw": (_draw, [spec("x")]),
        "grow": (_grow, [spec("images", shape=(None, 6, 6, 1))]),
        "log_gamma": (_log_gamma, [spec("x", shape=(None, 4))]),
        "loop": (_loop, [spec("x")]),
        "read": (lambda text: {"y": tf.strings.to_number(text)}, [spec("text", tf.string)]),
        "write": (lambda x: {"text": tf.strings.as_string(x)}, [spec("x")]),
    }
    return write(tmp_path_factory.mktemp("exports"), "odd", 1, signatures)


@pytest.mark.parametrize(
    ("target", "signature", "message"),
    [
        # Neither package says a word: another interpolation, a constant of a wrong shape.
        ("onnx", "grow", r"there, images of 1 rows differ by \d\.\de-04"),
        ("litert", "log_gamma", "does not run on 3 random rows .* not broadcastable"),
        ("litert", "draw", r"there, y of \d rows differ by"),
        ("onnx", "loop", r"missing there \(Expm1\)"),
        ("onnx", "read", r"takes or gives strings \(text\)"),
        ("litert", "write", r"takes or gives strings \(text\)"),
    ],
)
def test_a_file_that_answers_otherwise_is_never_written(target, signature, message, odd, tmp_path):
    with pytest.raises(
        ValueError, match=f"{signature} cannot be converted to {target}: .*{message}"
    ):
        convert(odd, target, signature, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def _raising(error):
    def fail(*arguments):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "told"),
    [(ConverterError("of shapes\nand more"), "of shapes"), (ValueError(), "ValueError")],
)
def test_why_a_converter_fails_is_told(error, told, exports, tmp_path, monkeypatch):
    def converter(*arguments, **options):
        return types.SimpleNamespace(convert=_raising(error))

    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_saved_model", converter)
    with pytest.raises(ValueError, match=rf"to litert: the converter fails \({told}"):
        convert(exports / "dcgan", "litert", output=tmp_path / "file")
    monkeypatch.undo()
    failing = dataclasses.replace(TARGETS["litert"], run=_raising(error))
    monkeypatch.setitem(TARGETS, "litert", failing)
    with pytest.raises(ValueError, match=rf"does not run on 1 random rows \({told}"):
        convert(exports / "dcgan", "litert", output=tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_the_command_names_its_file(odd, exports, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command.main(["convert", str(exports / "dcgan"), "--to=onnx"])
    assert capsys.readouterr().out == "dcgan-serving_default.onnx\n"
    assert [path.name for path in tmp_path.iterdir()] == ["dcgan-serving_default.onnx"]
    for arguments, message in {
        ("--to=onnx", "--signature=draws"): "There is no signature draws. There are: draw, grow",
        ("--to=onyx",): "`target` must be one of onnx, litert. Received: 'onyx'",
    }.items():
        with pytest.raises(SystemExit, match=message):
            command.main(["convert", str(odd), *arguments])


@pytest.mark.parametrize(("target", "package"), [("onnx", "tf2onnx"), ("litert", "ai_edge_litert")])
def test_a_missing_package_is_named(target, package, exports, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit, match=rf"{package}.* pip install 'tfgen\[convert\]'"):
        command.main(["convert", str(exports / "dcgan"), f"--to={target}"])
