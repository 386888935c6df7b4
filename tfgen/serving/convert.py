"""Exports for other runtimes: a signature of a SavedModel as a file of ONNX or LiteRT."""

import dataclasses
import importlib
import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgen.serving.verify import newest_version
from tfgen.serving.warm_up import random_example
from tfgen.utils.files import atomic_write
from tfgen.utils.tensorflow_setup import held_back_errors

_ROWS = (1, 3)
# Rounding alone comes to 1e-5 in networks for 64 pixels; operations converted wrongly, to 3e-4.
_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class Target:
    """A runtime that needs no TensorFlow.

    Args:
        ending: of its files.
        packages: what must be there to convert and to run.
        convert: from a `Signature` to the file's content, and the names of the operations that
            the runtime has not; where there are such, the content is worth nothing.
        run: from a content, its `Signature` and a dict of inputs to a dict of outputs.
    """

    ending: str
    packages: tuple
    convert: Callable
    run: Callable


@dataclasses.dataclass(frozen=True)
class Signature:
    """A signature of a SavedModel: the version's folder, its name, its concrete function."""

    path: pathlib.Path
    name: str
    function: Callable

    @property
    def inputs(self):
        return self.function.structured_input_signature[1]

    @property
    def outputs(self):
        return self.function.structured_outputs


def convert(path, target, signature="serving_default", output=None):
    """Writes one signature of a SavedModel, ours or another, as a file for another runtime.

    Inputs and outputs keep their names, types and shapes, batches any size. Only ONNX has one name
    for one tensor: there, an output that is called as an input becomes `output_NAME`. The file is
    run before it is written: its answers to random numbers are the SavedModel's to 1e-4, or it is
    refused.

    What draws random numbers, or takes or gives files, cannot be converted: draw latents yourself,
    and convert what takes them. Exports refuse numbers that are not finite; these files do not.

    Args:
        path: a version's folder, `saved_models/NAME/VERSION`; a model's, for its newest; or a
            release, see `tfgen.load`.
        target: a key of `TARGETS`: `"onnx"`, or `"litert"`, which was called TensorFlow Lite and is
            found as `"tflite"`, too.
        signature: its name.
        output: the file; `None` for `NAME-SIGNATURE.onnx` or `.tflite` in the current folder.

    Returns:
        The file's path.

    Raises:
        OSError: there is no SavedModel, or the file cannot be written.
        ValueError: there is no such target or signature, or the target cannot do what it does.
        ModuleNotFoundError: a package is missing that the extra `convert` installs.

    Example:
        >>> convert("saved_models/vae_fashion", "onnx", "encode")
        PosixPath('vae_fashion-encode.onnx')
    """
    target = _OLD_NAMES.get(target, target)
    if target not in TARGETS:
        raise ValueError(f"`target` must be one of {', '.join(TARGETS)}. Received: {target!r}.")
    version = newest_version(path).resolve()
    loaded = tf.saved_model.load(str(version))  # the functions' weights live as long as it does
    if signature not in loaded.signatures:
        raise ValueError(
            f"There is no signature {signature}. There are: {', '.join(sorted(loaded.signatures))}."
        )
    with held_back_errors():  # the packages' remarks fill pages; what matters is in our own errors
        refusal, content = _try(
            TARGETS[target], Signature(version, signature, loaded.signatures[signature])
        )
    if refusal:
        others = ", ".join(sorted(set(loaded.signatures) - {signature})) or "none"
        raise ValueError(
            f"The signature {signature} cannot be converted to {target}: {refusal}. Convert one "
            "that draws no numbers and takes or gives no files, such as that from latents to "
            f"images. There are also: {others}."
        )
    output = pathlib.Path(output or f"{version.parent.name}-{signature}{TARGETS[target].ending}")
    with atomic_write(output) as file:
        file.write_bytes(content)
    return output


def _try(target, signature):
    """Returns why a signature cannot be converted, or `None`, and the file's content."""
    for package in target.packages:
        importlib.import_module(package)  # what is missing is told before work begins
    tensors = {**signature.inputs, **signature.outputs}
    strings = sorted(key for key, tensor in tensors.items() if tensor.dtype == tf.string)
    if strings:
        return f"it takes or gives strings ({', '.join(strings)})", None
    try:
        content, missing = target.convert(signature)
    except Exception as error:  # each package has its own
        return f"the converter fails ({_told(error)})", None
    if missing:
        return f"it needs operations that are missing there ({', '.join(sorted(missing))})", None
    return _difference(target, signature, content), content


def _difference(target, signature, content):
    """Returns in what a file's answers are not the signature's, or `None`."""
    for rows in _ROWS:
        inputs = {key: random_example(spec, rows) for key, spec in signature.inputs.items()}
        try:
            expected = signature.function(**{key: tf.constant(inputs[key]) for key in inputs})
            outputs = target.run(content, signature, inputs)
        except Exception as error:  # each runtime has its own
            return f"it does not run on {rows} random rows ({_told(error)})"
        for key, value in expected.items():
            difference = _distance(outputs[key], value.numpy())
            if not difference <= _TOLERANCE:
                return f"there, {key} of {rows} rows differ by {difference:.1e}"
    return None


def _told(error):
    """Returns the first line of an error, or its type if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _distance(value, expected):
    if value.shape != expected.shape:
        return np.inf
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    return np.abs(np.asarray(value, np.float64) - expected).max(initial=0.0) / scale


def _to_onnx(signature):
    """Converts with tf2onnx, which leaves operations that it does not know as they are."""
    import onnx
    import tf2onnx

    specs = {
        key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in signature.inputs.items()
    }

    @tf.function(input_signature=[specs], autograph=False)
    def renamed(inputs):
        outputs = signature.function(**inputs)
        return {_onnx_name(key, inputs): value for key, value in outputs.items()}

    model, _ = tf2onnx.convert.from_function(renamed, input_signature=[specs])
    versions = {each.domain: each.version for each in model.opset_import}
    missing = {
        node.op_type
        for node in _onnx_nodes(model.graph)
        if not onnx.defs.has(node.op_type, versions[node.domain], node.domain)
    }
    return model.SerializeToString(), missing


def _onnx_nodes(graph):
    """Yields the nodes of a graph, and those of the bodies of its loops and conditions."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from _onnx_nodes(attribute.g)


def _onnx_name(output, inputs):
    return f"output_{output}" if output in inputs else output


def _run_onnx(content, signature, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [_onnx_name(key, inputs) for key in signature.outputs]
    return dict(zip(signature.outputs, session.run(names, inputs), strict=True))


def _to_litert(signature):
    from tensorflow.lite.python.convert_phase import ConverterError

    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(signature.path), signature_keys=[signature.name]
    )
    try:
        return converter.convert(), set()
    except ConverterError as error:
        if not error.errors:  # no operation is to blame
            raise
        return None, {each.operator.name.removeprefix("tf.") for each in error.errors}


def _run_litert(content, signature, inputs):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_content=content).get_signature_runner(signature.name)(**inputs)


_OLD_NAMES = {"tflite": "litert"}  # its files still end in it
TARGETS = {
    "onnx": Target(".onnx", ("tf2onnx", "onnxruntime"), _to_onnx, _run_onnx),
    "litert": Target(".tflite", ("ai_edge_litert",), _to_litert, _run_litert),
}
