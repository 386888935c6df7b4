"""No request brings the server down, is answered that should not be, or fills the log."""

import pytest

import tfgen
from tests import hostile_grpc, hostile_http
from tests.hostile import KINDS, ask_all
from tests.specimens import compiled
from tests.test_server import started


@pytest.mark.slow
@pytest.mark.parametrize("token", [None, "secret"])
def test_a_little_of_every_kind_is_refused(token, tmp_path):
    tfgen.export(compiled("conv_vae"), tmp_path / "models" / "vae", png=True)
    (tmp_path / "token").write_text("secret")
    options = [] if token is None else [f"--token-file={tmp_path / 'token'}"]
    with started(tmp_path / "models", *options) as (process, url, grpc_address):
        statuses = ask_all(url, grpc_address, 5, token)
        process.terminate()
        assert process.communicate()[1] == ""  # strangers do not fill the log
    assert len(statuses) == len(KINDS) + len(hostile_http.KINDS) + len(hostile_grpc.KINDS)
    assert all(counts.total() for counts in statuses.values())
