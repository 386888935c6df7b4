"""No request brings the server down, or is answered that should not be."""

import tfgen
from tests import hostile_grpc
from tests.hostile import KINDS, ask_all
from tests.specimens import compiled
from tests.test_server import started


def test_a_little_of_every_kind_is_refused(tmp_path):
    tfgen.export(compiled("conv_vae"), tmp_path / "vae", png=True)
    kinds = len(KINDS) + len(hostile_grpc.KINDS)
    with started(tmp_path) as (_, url, grpc_address):
        statuses = ask_all(url, grpc_address, 5 * kinds)
    assert len(statuses) == kinds
    assert all(counts.total() for counts in statuses.values())
