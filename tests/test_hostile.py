"""No request brings the server down, or is answered that should not be."""

import tfgen
from tests.hostile import KINDS, ask_all
from tests.specimens import compiled
from tests.test_server import started


def test_a_little_of_every_kind_is_refused(tmp_path):
    tfgen.export(compiled("conv_vae"), tmp_path / "vae", png=True)
    with started(tmp_path) as (_, url, _):
        statuses = ask_all(url, 5 * len(KINDS))
    assert statuses.keys() == KINDS.keys()
    assert all(400 <= status < 500 for counts in statuses.values() for status in counts)
