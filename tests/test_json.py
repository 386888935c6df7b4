"""Tensors as JSON, by the contract of TensorFlow Serving's `json_tensor_test.cc`."""

import json
import time

import ml_dtypes
import numpy as np
import pytest

from tfgen.serving import json_answers, json_parsing, json_requests
from tfgen.serving.errors import Code, ServingError

FLOAT, INT, LONG = np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.int64)
TEXT, TRUTH, BYTE = np.dtype(object), np.dtype(bool), np.dtype(np.uint8)
ONE, TWO = {"x": FLOAT}, {"x": FLOAT, "label": INT}
DEEP = "[" * 1000 + "]" * 1000


def read(text, dtypes):
    return json_requests.read(json_parsing.parse(text.encode()), dtypes)


@pytest.mark.parametrize(
    ("text", "dtypes", "expected", "rows"),
    [
        ('{"instances": [1, 2.5]}', ONE, {"x": [1, 2.5]}, True),
        ('{"instances": [[1, 2], [3, 4]]}', ONE, {"x": [[1, 2], [3, 4]]}, True),
        ('{"instances": [{"x": [1, 2]}]}', ONE, {"x": [[1, 2]]}, True),
        (
            '{"instances": [{"x": [1], "label": 2}, {"label": 3, "x": [4]}]}',
            TWO,
            {"x": [[1], [4]], "label": [2, 3]},
            True,
        ),
        ('{"inputs": 3}', {"count": INT}, {"count": 3}, False),
        ('{"inputs": [[], []]}', ONE, {"x": [[], []]}, False),
        ('{"inputs": {"x": [[1]], "label": 2, "more": 3}}', TWO, {"x": [[1]], "label": 2}, False),
        ('{"inputs": [true, false]}', {"on": TRUTH}, {"on": [True, False]}, False),
        ('{"inputs": -9223372036854775808}', {"seed": LONG}, {"seed": -(2**63)}, False),
        ('{"inputs": [NaN, Infinity, -Infinity]}', ONE, {"x": [np.nan, np.inf, -np.inf]}, False),
        ('{"instances": ["a", {"b64": "/wA="}]}', {"t": TEXT}, {"t": [b"a", b"\xff\0"]}, True),
        ('{"inputs": {"b64": "YQ=="}}', {"t": TEXT}, {"t": b"a"}, False),
        ('{"inputs": {"t": {"b64": "YQ=="}}}', {"t": TEXT}, {"t": b"a"}, False),
        ('{"inputs": {"b64": " QUJD\\r\\nREVG\\n"}}', {"t": TEXT}, {"t": b"ABCDEF"}, False),
        ('{"inputs": [{"b64": "QUI"}, {"b64": "QQ"}]}', {"t": TEXT}, {"t": [b"AB", b"A"]}, False),
        ('\ufeff{"inputs": [1, NaN]}', ONE, {"x": [1, np.nan]}, False),
        (
            '{"inputs": "\\ud83d\\ude00", "x": NaN}',
            {"t": TEXT},
            {"t": "\U0001f600".encode()},
            False,
        ),
        ('{"inputs": {}}', {}, {}, False),
    ],
)
def test_tensors_are_read(text, dtypes, expected, rows):
    found, as_rows = read(text, dtypes)
    assert as_rows is rows and found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == dtypes[name]
        np.testing.assert_array_equal(found[name], np.array(value, dtypes[name]), strict=True)


@pytest.mark.parametrize(
    ("text", "dtypes", "message"),
    [
        ("", ONE, "The document is empty"),
        ("\ufeff", ONE, "The document is empty"),
        ("instances = [1, 2]", ONE, "JSON Parse error: Invalid value"),
        ("[" * 100_000, ONE, "JSON Parse error: "),
        ('{"inputs": ' + "[" * 40 + "]" * 40 + "}", ONE, "nested deeper than 32 lists"),
        (f'{{"inputs": [1, {DEEP}]}}', ONE, r"JSON Value: \[+\.\.\. is not of expected type"),
        ("[1]", ONE, "Is not object"),
        ('{"x": 1}', ONE, "Missing 'inputs' or 'instances' key"),
        ('{"inputs": 1, "instances": [1]}', ONE, "only one of 'inputs' or 'instances'"),
        ('{"instances": 1}', ONE, "to be an list/array"),
        ('{"instances": []}', ONE, "No values in 'instances'"),
        ('{"instances": [1]}', TWO, "expecting list of objects .*: label, x"),
        ('{"instances": [1, {"x": 1}]}', ONE, "Expecting value/list but got object"),
        ('{"instances": [{"x": 1}, 1]}', ONE, "Expecting object but got list at item 1"),
        ('{"instances": [{"x": 1}]}', TWO, "keys must be equal to: label,x"),
        ('{"instances": [[1], [2, 3]]}', ONE, r"\[2, 3\] is a list of 2 at level 1, expected 1"),
        ('{"instances": [[1], 2]}', ONE, "2 found at level 1, expected a list"),
        ('{"instances": [1, [2]]}', ONE, r"\[2\] is not of expected type: float32"),
        ('{"inputs": [1]}', TWO, "expecting an object .*: label, x"),
        ('{"inputs": {"x": 1}}', TWO, "Missing named input: label"),
        ('{"inputs": "x"}', ONE, '"x" is not of expected type: float32'),
        ('{"inputs": null}', ONE, "null is not of expected type: float32"),
        ('{"inputs": [1, true]}', ONE, "true is not of expected type: float32"),
        ('{"inputs": {"b64": "YQ=="}}', ONE, "is not of expected type: float32"),
        ('{"inputs": 1.0}', {"count": INT}, "1.0 is not of expected type: int32"),
        ('{"inputs": 1}', {"on": TRUTH}, "1 is not of expected type: bool"),
        ('{"inputs": 2147483648}', {"count": INT}, "beyond the range of int32"),
        ('{"inputs": -1}', {"pixel": BYTE}, "beyond the range of uint8"),
        ('{"inputs": [1e400]}', ONE, "Number too big to be stored in double"),
        ('{"more": -1e400, "inputs": [NaN]}', ONE, "Number too big to be stored in double"),
        (f'{{"inputs": {"9" * 400}}}', ONE, "beyond the range of float32"),
        (f'{{"inputs": {"9" * 5000}}}', ONE, "JSON Parse error: Invalid value"),
        ('{"inputs": 1}', {"t": TEXT}, "1 is not of expected type: string"),
        ('{"inputs": {"b64": "?"}}', {"t": TEXT}, "Unable to base64 decode the input t"),
        ('{"inputs": {"b64": "é"}}', {"t": TEXT}, "Unable to base64 decode the input t"),
        ('{"inputs": {"b64": "QUJDR"}}', {"t": TEXT}, "Unable to base64 decode the input t"),
        ('{"inputs": {"b64": "QU=I"}}', {"t": TEXT}, "Unable to base64 decode the input t"),
        ('{"inputs": {"b64": "QUI\\u00a0"}}', {"t": TEXT}, "Unable to base64 decode the input t"),
        ('{"inputs": "\\ud800"}', {"t": TEXT}, "JSON Parse error: The surrogate pair"),
        ('{"\\udc00": NaN, "inputs": 1}', ONE, "JSON Parse error: The surrogate pair"),
        ('{"instances": [1]}', {}, "Failed to get input map for signature"),
        ('{"instances": [{}]}', {}, "Failed to get input map for signature"),
        ('{"inputs": [1]}', {}, "Failed to get input map for signature"),
    ],
)
def test_what_is_wrong_is_said(text, dtypes, message):
    with pytest.raises(ServingError, match=message) as raised:
        read(text, dtypes)
    assert raised.value.code is Code.INVALID_ARGUMENT
    assert len(raised.value.message) < 500


TOKENS = "[NaN, -NaN, Inf, -Inf, Infinity]"
IN_STRINGS = r'{"inputs": ["Inf \" -NaN \\", "\\ud800"], "a": Inf}'


@pytest.mark.parametrize(
    ("text", "dtypes", "expected"),
    [
        ('{"inputs": [1e39, -1e39, 1e-50]}', ONE, {"x": [np.inf, -np.inf, 0]}),
        (f'{{"inputs": {TOKENS}}}', ONE, {"x": [np.nan, np.nan, np.inf, -np.inf, np.inf]}),
        ('{"inputs": [1.0], "inputs": [2.0]}', ONE, {"x": [1]}),
        (r'{"inputs": [1.0], "\u0069nputs": [2.0]}', ONE, {"x": [1]}),
        ('{"inputs": {"x": [1], "x": [2]}}', ONE, {"x": [1]}),
        ('{"instances": [{"x": 1, "x": 2}, {"x": 3}]}', ONE, {"x": [1, 3]}),
        ('{"signature_name": "a", "inputs": [1], "signature_name": 1}', ONE, {"x": [1]}),
        (r'{"a": "Inf \" Inf \\", "inputs": [Inf]}', ONE, {"x": [np.inf]}),
        (IN_STRINGS, {"t": TEXT}, {"t": [b'Inf " -NaN \\', b"\\ud800"]}),
        (f'{{"a": {"[" * 500_000}"]"{"]" * 500_000}, "inputs": [1]}}', ONE, {"x": [1]}),
        ('{"a":' * 1500 + "1" + "}" * 1499 + ', "inputs": [1]} ]', ONE, {"x": [1]}),
    ],
)
def test_json_is_parsed_as_by_tensorflow_serving(text, dtypes, expected):
    found, _ = read(text, dtypes)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], np.array(value, dtypes[name]), strict=True)


def test_bytes_in_strings_need_not_be_utf_8():
    ignored = json_parsing.parse(b'{"\xff": "\xed\xa0\x80", "inputs": [1.0]}')
    assert json_requests.read(ignored, ONE)[0]["x"] == [1]
    used = json_parsing.parse(b'{"inputs": ["\xff\xc3", "\xc3\xa9"]}')
    found, _ = json_requests.read(used, {"t": TEXT})
    assert found["t"].tolist() == [b"\xff\xc3", "é".encode()]
    for wrong in (b'{"inputs": {"b64": "\xff"}}', b'{"signature_name": "\xff", "inputs": 1}'):
        document = json_parsing.parse(wrong)
        name = json_requests.signature_name(document)
        with pytest.raises(ServingError) as raised:
            json_requests.read(document, {"t": TEXT})
        f"{raised.value.message}{name}".encode()  # an answer can quote them


def test_numbers_alone_are_parsed_by_the_fast_parser(monkeypatch):
    monkeypatch.setattr(json_parsing, "_DECODER", None)
    for document in (
        {"instances": [[0.5, 2]] * 3},
        {"signature_name": "two", "instances": [{"x": [1, 2], "label": 3}] * 3},
        {"inputs": {"x": [[1, 2]], "label": [3]}, "more": [1]},
    ):
        assert json_parsing.parse(json.dumps(document).encode()) == document


def test_shapes_are_checked_before_arrays_are_made():
    checked = []

    def check(name, shape):
        checked.append((name, shape))
        raise ServingError(Code.INVALID_ARGUMENT, "too many rows")

    ragged = json_parsing.parse(b'{"inputs": [[1, 2], [3], "no number"]}')
    with pytest.raises(ServingError, match="too many rows"):
        json_requests.read(ragged, ONE, check)
    assert checked == [("x", [3, 2])]


def test_lists_are_counted_before_they_are_made():
    images = b"[" * 1024 * (1 + 32 + 32 * 32)  # as many as a request of rows may have
    with pytest.raises(ServingError, match="JSON Parse error"):
        json_parsing.parse(images)
    for lists in (images + b"{" * 200_000, b"[]" * 1_200_001):
        with pytest.raises(ServingError, match="at most 1200000 lists and objects"):
            json_parsing.parse(lists)


def test_types_that_json_cannot_express_are_refused():
    with pytest.raises(ServingError, match="complex64, which JSON cannot express") as raised:
        read('{"inputs": 1}', {"wave": np.dtype(np.complex64)})
    assert raised.value.code is Code.UNIMPLEMENTED


def test_a_signature_is_named_by_a_string():
    assert json_requests.signature_name({}) == "serving_default"
    assert json_requests.signature_name({"signature_name": "sample"}) == "sample"
    with pytest.raises(ServingError, match="'signature_name' key must be a string value"):
        json_requests.signature_name({"signature_name": 100})


def test_no_more_of_a_document_is_written_than_is_shown():
    document = {"signature_name": 1, "inputs": [0.5] * 1_000_000}
    start = time.process_time()
    with pytest.raises(ServingError, match=r"0\.5, .*\.\.\. not formatted"):
        json_requests.signature_name(document)
    assert time.process_time() - start < 0.05  # all of it takes 0.2 s


@pytest.mark.parametrize(
    ("outputs", "rows", "expected"),
    [
        ({"y": np.array([[0.1, 2]], np.float32)}, True, '{"predictions":[[0.1,2.0]]}'),
        ({"y": np.array([[0.1, 2]], np.float32)}, False, '{"outputs":[[0.1,2.0]]}'),
        ({"y": np.float32(0.1).reshape(())}, False, '{"outputs":0.1}'),
        (
            {"y": np.array([[1], [2]], np.int8), "on": np.array([True, False])},
            True,
            '{"predictions":[{"y":[1],"on":true},{"y":[2],"on":false}]}',
        ),
        (
            {"y": np.array([1, 2], np.uint64), "x": np.float64(0.1).reshape(())},
            False,
            '{"outputs":{"y":[1,2],"x":0.1}}',
        ),
        ({"y": np.array([1, np.nan], np.float32)}, True, '{"predictions":[1.0,NaN]}'),
        (
            {"y": np.array([[np.inf], [-np.inf]])},
            False,
            '{"outputs":[[Infinity],[-Infinity]]}',
        ),
        ({"y": np.array([b"a", "é".encode()], object)}, True, '{"predictions":["a","é"]}'),
        ({"y_bytes": np.array([b"\xff\0"], object)}, True, '{"predictions":[{"b64":"/wA="}]}'),
    ],
)
def test_answers_are_written(outputs, rows, expected):
    assert json_answers.write(outputs, rows).decode() == expected


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"y": np.zeros([2]), "x": np.zeros([3])}, "no common number of rows"),
        ({"y": np.zeros([])}, "no common number of rows"),
    ],
)
def test_what_has_no_rows_is_not_written_as_rows(outputs, message):
    with pytest.raises(ServingError, match=message):
        json_answers.write(outputs, rows=True)


@pytest.mark.parametrize("dtype", [np.complex64, ml_dtypes.bfloat16, ml_dtypes.float8_e5m2])
def test_numbers_that_json_has_not_are_refused(dtype):
    with pytest.raises(
        ServingError, match=r"Failed to write JSON value .*, of the output y\."
    ) as told:
        json_answers.write({"x": np.zeros(2), "y": np.zeros(2, dtype)}, rows=False)
    assert told.value.code is Code.INVALID_ARGUMENT


def test_bytes_under_a_name_of_text_are_refused():
    with pytest.raises(ServingError, match="its name would have to end in _bytes"):
        json_answers.write({"y": np.array([b"\xff"], object)}, rows=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8, bool])
def test_numbers_come_back_as_they_were(dtype):
    bits = np.random.default_rng(0).bytes(800)
    values = np.frombuffer(bits, np.uint8 if dtype is bool else dtype)
    values = values % 2 == 0 if dtype is bool else values
    values = values[np.isfinite(values)][:80].reshape(-1, 2)
    body = json_answers.write({"y": values}, rows=False)
    again = json.dumps({"inputs": json.loads(body)["outputs"]})
    found, _ = read(again, {"y": np.dtype(dtype)})
    np.testing.assert_array_equal(found["y"], values, strict=True)
