"""What a model can do, and how its latents are distributed, told by its export.

An export says so in `assets.extra/tfgen.json`. Of a SavedModel that says nothing, one of an earlier
version or another origin, the signatures tell.
"""

import inspect
import json
import logging
import pathlib

from tfgen.engine.abilities import abilities_of

FILE = "tfgen.json"  # in a version's `assets.extra`
_LOG = logging.getLogger(__name__)
# The signature that shows each ability, and the one of its outputs that does.
_SHOWN_BY = {
    "sample": ("sample", "images"),
    "choose_labels": ("sample_labels", "images"),
    "encode": ("encode", "mean"),
    "reconstruct": ("reconstruct", "images"),
    "translate": ("translate_a_to_b", "images"),
    "recognize": ("recognize", "code_0"),
    "discriminate": ("score", "logits"),
    "bound": ("score", "elbo"),
    "log_likelihood": ("score", "log_likelihood"),
    "classify": ("label_probabilities", "probabilities"),
    "impute": ("impute", "images"),
    "match": ("zero_shot", "probabilities"),
    "draw": ("draw", "images"),
}


def describe(model):
    """Returns what an export says of a model, a dict for JSON.

    Args:
        model: a `tfgen.GenerativeModel`.

    Returns:
        A dict. `model` is the model's class, `about` what it is in a sentence. `abilities` is a
        list of names from `tfgen.engine.abilities`. Where "generate" is one of them, `latents` is
        the prior's description, with the `size` that `generate` takes. Where the last latents are
        codes, its `codes` is a list of their descriptions, in order, each with the `name` that the
        signatures `sample_codes` and `recognize` have for it.

    Example:
        >>> describe(vae)["latents"]
        {'size': 32, 'kind': 'normal', 'path': 'spherical'}
    """
    abilities = abilities_of(model)
    found = {
        "model": type(model).__name__,
        "about": (inspect.getdoc(type(model)) or "").partition("\n")[0],
        "abilities": sorted(abilities),
    }
    if "generate" in abilities:
        codes = model.codes if "choose_codes" in abilities else []
        named = [{"name": f"code_{n}", **code.description} for n, code in enumerate(codes)]
        found["latents"] = _latents(model.prior.description, named)
    return found


def is_described(path):
    """Tells whether a version has a `tfgen.json`, as exports of tfgen have."""
    return pathlib.Path(path, "assets.extra", FILE).exists()


def read_description(path):
    """Returns what a version's `tfgen.json` says, a dict; an empty one if there is no such file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no object of JSON.
    """
    if not is_described(path):
        return {}
    file = pathlib.Path(path, "assets.extra", FILE)
    found = json.loads(file.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{file} must hold an object of JSON. Received: {str(found)[:50]}.")
    return found


def description_of(path, signatures):
    """Returns `abilities` and `latents`, see `describe`, of a version that was loaded.

    Args:
        path: the version's folder.
        signatures: a dict from a name to what has the dicts `inputs` and `outputs` of specs.
    """
    try:
        said = read_description(path)
    except (OSError, ValueError) as error:  # servers do without this file
        _LOG.warning("What %s says of its model cannot be read: %s", path, error)
        said = {}
    if "abilities" not in said:
        return derive(signatures)
    return {key: said[key] for key in ("abilities", "latents") if key in said}


def derive(signatures):
    """Returns what signatures tell of a model, see `describe`; priors are of the kind "other"."""
    found = {
        ability
        for ability, (name, output) in _SHOWN_BY.items()
        if name in signatures and output in signatures[name].outputs
    }
    latents = _size(signatures, "serving_default", "inputs", "latents")
    if latents is None:
        return {"abilities": sorted(found)}
    codes = _derive_codes(signatures)
    if codes:
        found.add("choose_codes")
    size = latents - sum(code["size"] for code in codes)
    prior = {"size": size, "kind": "other", "path": "straight"}
    return {"abilities": sorted({*found, "generate"}), "latents": _latents(prior, codes)}


def _latents(prior, codes):
    if not codes:
        return prior
    return {**prior, "size": prior["size"] + sum(code["size"] for code in codes), "codes": codes}


def _derive_codes(signatures):
    """Returns descriptions of codes; none unless the signatures tell the sizes of all."""
    codes = []
    inputs = signatures["sample_codes"].inputs if "sample_codes" in signatures else {}
    for name in sorted(inputs.keys() - {"seed"}, key=lambda name: (len(name), name)):
        if inputs[name].dtype.is_integer:  # a category, of as many as are told apart
            kind = {"kind": "categorical"}
            size = _size(signatures, "recognize", "outputs", name)
        else:
            kind = {"kind": "uniform", "low": -1.0, "high": 1.0}
            size = _size(signatures, "sample_codes", "inputs", name)
        if size is None:
            return []
        codes.append({"name": name, "size": size, **kind, "path": "straight"})
    return codes


def _size(signatures, name, side, key):
    """Returns the length of the vectors that a tensor has a row of each; `None` if it has none."""
    specs = getattr(signatures[name], side) if name in signatures else {}
    if key not in specs or specs[key].shape.rank != 2:
        return None
    return specs[key].shape[1]
