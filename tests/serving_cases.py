"""Requests, and what TensorFlow Serving answers: for any server that says it speaks as it does.

Each is a name, a path, a body (`None` for GET; a string as it is, anything else as JSON), and the
status with what the answer must hold. Of an error that is a pattern.
"""

PARTS = "/v1/models/parts"
HALF = "/v1/models/half_plus"
NAN, INF = float("nan"), float("inf")
DEEP = "[" * 1000 + "]" * 1000
RAGGED = {"x": [[1, 2], [3]], "label": [1, 2]}


def available(number):
    status = {"error_code": "OK", "error_message": ""}
    return {"version": number, "state": "AVAILABLE", "status": status}


def ask(signature, **inputs):
    (form, value), *_ = inputs.items()
    return {"signature_name": signature, form: value}


CASES = [
    ("rows", f"{PARTS}:predict", {"instances": [1.0, 2]}, 200, {"predictions": [2.5, 3.0]}),
    ("columns", f"{PARTS}:predict", {"inputs": [1.0, 2]}, 200, {"outputs": [2.5, 3.0]}),
    ("named row", f"{PARTS}:predict", {"instances": [{"x": 2}]}, 200, {"predictions": [3.0]}),
    ("named column", f"{PARTS}:predict", {"inputs": {"x": [2]}}, 200, {"outputs": [3.0]}),
    ("no rows in columns", f"{PARTS}:predict", {"inputs": []}, 200, {"outputs": []}),
    ("version", f"{PARTS}/versions/7:predict", {"inputs": [2]}, 200, {"outputs": [3.0]}),
    ("newest version", f"{HALF}:predict", {"inputs": [2]}, 200, {"outputs": [4.0]}),
    ("NaN", f"{PARTS}:predict", '{"inputs": [NaN, Infinity]}', 200, {"outputs": [NAN, INF]}),
    ("after the end", f"{PARTS}:predict", '{"inputs": [2]} and more', 200, {"outputs": [3.0]}),
    (
        "two inputs in rows",
        f"{PARTS}:predict",
        ask("two", instances=[{"x": [1, 2], "label": 2}, {"label": 3, "x": [0, 1]}]),
        200,
        {"predictions": [{"scaled": [2.0, 4.0], "label": 2}, {"scaled": [0.0, 3.0], "label": 3}]},
    ),
    (
        "two inputs in columns",
        f"{PARTS}:predict",
        ask("two", inputs={"x": [[1, 2]], "label": [2]}),
        200,
        {"outputs": {"scaled": [[2.0, 4.0]], "label": [2]}},
    ),
    ("text", f"{PARTS}:predict", ask("text", instances=["a"]), 200, {"predictions": ["A"]}),
    (
        "bytes",
        f"{PARTS}:predict",
        ask("bytes", instances=[{"b64": "/wA="}]),
        200,
        {"predictions": [{"b64": "/wA="}]},
    ),
    (
        "bytes in lines",
        f"{PARTS}:predict",
        ask("bytes", instances=[{"b64": "QUJD\nREVG\n"}]),
        200,
        {"predictions": [{"b64": "QUJDREVG"}]},
    ),
    (
        "bytes without padding",
        f"{PARTS}:predict",
        ask("bytes", instances=[{"b64": "QUI"}]),
        200,
        {"predictions": [{"b64": "QUI="}]},
    ),
    ("mark", f"{PARTS}:predict", '\ufeff{"inputs": [2]}', 200, {"outputs": [3.0]}),
    (
        "first of equal keys",
        f"{PARTS}:predict",
        '{"inputs": [1.0], "inputs": [2.0]}',
        200,
        {"outputs": [2.5]},
    ),
    ("beyond float32", f"{PARTS}:predict", '{"inputs": [1e39]}', 200, {"outputs": [INF]}),
    ("beyond float64", f"{PARTS}:predict", '{"inputs": [1e400]}', 400, "too big"),
    ("Inf", f"{PARTS}:predict", '{"inputs": [Inf, -Inf]}', 200, {"outputs": [INF, -INF]}),
    (
        "ignored and deep",
        f"{PARTS}:predict",
        f'{{"more": {"[" * 500_000}{"]" * 500_000}, "inputs": [2]}}',
        200,
        {"outputs": [3.0]},
    ),
    (
        "ignored and not UTF-8",
        f"{PARTS}:predict",
        b'{"more": "\xff", "inputs": [2]}',
        200,
        {"outputs": [3.0]},
    ),
    (
        "path in capitals",
        f"{PARTS.upper()[:-5]}parts:predict",
        {"inputs": [2]},
        200,
        {"outputs": [3.0]},
    ),
    ("method in capitals", f"{PARTS}:Predict", {"inputs": [2]}, 400, "Malformed request"),
    ("truth", f"{PARTS}:predict", ask("truth", inputs=[-1, 2]), 200, {"outputs": [False, True]}),
    ("scalar", f"{PARTS}:predict", ask("mean", inputs=[1, 2]), 200, {"outputs": 1.5}),
    ("status", f"{PARTS}", None, 200, {"model_version_status": [available("7")]}),
    ("status of one", f"{PARTS}/versions/7", None, 200, {"model_version_status": [available("7")]}),
    ("other model", "/v1/models/none:predict", {"instances": [1]}, 404, "not found"),
    ("other version", f"{PARTS}/versions/99:predict", {"instances": [1]}, 404, "not found"),
    ("status of none", "/v1/models/none", None, 404, "Could not find any versions"),
    ("label", f"{PARTS}/labels/new:predict", {"instances": [1]}, 400, "Unrecognized"),
    ("no number", f"{PARTS}/versions/new:predict", {"instances": [1]}, 400, "Malformed request"),
    ("large number", f"{PARTS}/versions/{2**64}:predict", {"instances": [1]}, 400, "convert"),
    ("other path", "/v1/models/parts/more", None, 400, "Malformed request"),
    ("no model", "/v1/models", None, 400, "Missing model name"),
    ("no method", f"{PARTS}", {"instances": [1]}, 400, "Malformed request"),
    (
        "classify",
        f"{PARTS}:classify",
        {"examples": [{"x": 1}]},
        400,
        "Expected classification signature",
    ),
    (
        "regress",
        f"{PARTS}:regress",
        {"examples": [{"x": 1}]},
        400,
        "Expected regression signature",
    ),
    ("nothing", f"{PARTS}:predict", "", 400, "document is empty"),
    ("no JSON", f"{PARTS}:predict", "instances = [1]", 400, "JSON Parse error"),
    ("no object", f"{PARTS}:predict", [1], 400, "not object"),
    ("no inputs", f"{PARTS}:predict", {}, 400, "Missing 'inputs' or 'instances'"),
    ("both", f"{PARTS}:predict", {"inputs": [1], "instances": [1]}, 400, "only one of"),
    ("no signature", f"{PARTS}:predict", ask("none", instances=[1]), 400, "not found"),
    ("no name", f"{PARTS}:predict", {"signature_name": 1}, 400, "must be a string"),
    ("no instances", f"{PARTS}:predict", {"instances": []}, 400, "No values"),
    ("no list", f"{PARTS}:predict", {"instances": 1}, 400, "list/array"),
    ("wrong type", f"{PARTS}:predict", {"instances": ["x"]}, 400, "not of expected type: float"),
    ("fraction", f"{PARTS}:predict", ask("truth", inputs=[1.5]), 400, "not of expected type"),
    (
        "ragged",
        f"{PARTS}:predict",
        ask("two", inputs={"x": [[1, 2], [3]], "label": [1, 2]}),
        400,
        "",
    ),
    ("input missing", f"{PARTS}:predict", ask("two", inputs={"x": [[1, 2]]}), 400, "label"),
    ("key missing", f"{PARTS}:predict", ask("two", instances=[{"x": [1, 2]}]), 400, "label"),
    ("plain list", f"{PARTS}:predict", ask("two", instances=[1]), 400, "object"),
    ("base64", f"{PARTS}:predict", ask("bytes", instances=[{"b64": "?"}]), 400, "base64"),
    ("not in ASCII", f"{PARTS}:predict", ask("bytes", instances=[{"b64": "é"}]), 400, "base64"),
    ("deep", f"{PARTS}:predict", f'{{"instances": [1, {DEEP}]}}', 400, ""),
    ("deep name", f"{PARTS}:predict", f'{{"signature_name": {DEEP}}}', 400, "must be a string"),
    ("half a character", f"{PARTS}:predict", {"signature_name": "\ud800"}, 400, "JSON Parse error"),
    ("no inputs, rows", f"{PARTS}:predict", ask("constant", instances=[1]), 400, "input map"),
    ("no inputs, columns", f"{PARTS}:predict", ask("constant", inputs=[1]), 400, "input map"),
    ("complex", f"{PARTS}:predict", ask("wave", instances=[1]), 400, "Failed to write JSON value"),
    ("refused by the graph", f"{PARTS}:predict", ask("roots", inputs=[-1]), 400, "negative"),
    ("no rows to answer", f"{PARTS}:predict", ask("mean", instances=[1]), 400, ""),
]

# What TensorFlow Serving answers and this server refuses, with what it says: the graph's own shapes
# are not checked by TensorFlow Serving, so it computes with any that the operations take.
STRICTER = [
    ("list for a number", f"{PARTS}:predict", {"instances": [[1, 2]]}, "must be of shape ['?']"),
    ("number for a list", f"{PARTS}:predict", ask("column", instances=[1.0, 2.0]), "['?', 1]"),
    ("wide list", f"{PARTS}:predict", ask("column", instances=[[1, 2], [3, 4]]), "['?', 1]"),
]
