"""What TensorFlow Serving, Docker and Kubernetes are given to serve a folder."""

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.kubernetes_schema import check
from tests.servables import SIGNATURES, half_plus, write
from tfgen import __main__ as command
from tfgen.serving.configuration import IMAGE, configure


@pytest.fixture
def root(tmp_path):
    for name in ("vae", "gan", ".hidden"):
        (tmp_path / name / "1").mkdir(parents=True)
        (tmp_path / name / "1" / "saved_model.pb").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_all_models_are_listed(root, capsys):
    command.main(["configure", str(root)])
    printed = capsys.readouterr().out
    text = (root / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    found = [(each.name, each.base_path) for each in config.model_config_list.config]
    assert found == [("gan", "/models/gan"), ("vae", "/models/vae")]
    assert {each.model_platform for each in config.model_config_list.config} == {"tensorflow"}
    assert str(root / "compose.yaml") in printed


def test_docker_gets_a_read_only_service(root):
    configure(root)
    (service,) = yaml.safe_load((root / "compose.yaml").read_text())["services"].values()
    assert service["image"] == IMAGE and service["read_only"] is True
    assert service["volumes"] == [".:/models:ro"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    files = [part.split("=")[1] for part in service["command"] if part.endswith(".config")]
    assert len(files) == 2
    assert all((root / file.removeprefix("/models/")).exists() for file in files)


def test_kubernetes_gets_what_it_knows(root):
    configure(root)
    deployment, service = yaml.safe_load_all((root / "kubernetes.yaml").read_text())
    check(deployment, "V1Deployment")
    check(service, "V1Service")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["readinessProbe"]["httpGet"]["path"] == "/v1/models/gan"
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]


def test_rows_are_put_together_where_all_signatures_have_them(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    configure(tmp_path)
    assert "--enable_batching" not in (tmp_path / "compose.yaml").read_text()
    configure(tmp_path, batching=True)
    for name in ("compose.yaml", "kubernetes.yaml"):
        text = (tmp_path / name).read_text()
        assert "--enable_batching=true" in text and "/models/batching.config" in text
    assert "max_batch_size { value: 64 }" in (tmp_path / "batching.config").read_text()
    write(tmp_path, "parts", 1, SIGNATURES)
    with pytest.raises(ValueError, match=r"count of .*parts/1 takes (count|seed), which has none"):
        configure(tmp_path, batching=True)


def test_a_folder_without_models_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model in"):
        configure(tmp_path)
