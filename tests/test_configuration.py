"""What TensorFlow Serving, Docker and Kubernetes are given to serve a folder."""

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.kubernetes_schema import assert_least_privilege, check
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


def everything(root):
    """Returns what is for Docker and for Kubernetes, parsed, and the last line for Docker."""
    compose = (root / "compose.yaml").read_text()
    kubernetes = yaml.safe_load_all((root / "kubernetes.yaml").read_text())
    return yaml.safe_load(compose), list(kubernetes), compose.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("my model #1", "/v1/models/my%20model%20%231"),
        ('"quoted" & {braced}: no', None),
        ("50%", "/v1/models/50%25"),
        ("- item", "/v1/models/-%20item"),
        ("${HOME}", "/v1/models/%24%7BHOME%7D"),
        ("gemälde", "/v1/models/gem%C3%A4lde"),
        ("aa\n    privileged: true\n#", None),
        ("tab\t", None),
        ("\x1b[31m", None),
        ("bidi\u202e", None),
        (b"\xff".decode("utf-8", "surrogateescape"), None),
    ],
)
def test_any_name_of_a_folder_is_quoted_or_refused(name, address, tmp_path):
    (tmp_path / name / "1").mkdir(parents=True)
    (tmp_path / name / "1" / "saved_model.pb").write_bytes(b"")
    if address is None:
        with pytest.raises(ValueError, match="The name of a model must .* Rename its folder"):
            configure(tmp_path)
        assert [path for path in tmp_path.iterdir() if path.is_file()] == []
        return
    configure(tmp_path)
    compose, (deployment, _), last = everything(tmp_path)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == address
    assert last == f"# Ready when http://localhost:8501{address} says AVAILABLE."
    text = (tmp_path / "models.config").read_text()
    (config,) = text_format.Parse(
        text, model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    assert (config.name, config.base_path) == (name, f"/models/{name}")


def test_the_server_has_no_more_rights_than_it_needs(root):
    configure(root)
    compose, (deployment, _), _ = everything(root)
    service = compose["services"]["serving"]
    assert "privileged" not in service and service["cap_drop"] == ["ALL"]
    assert service["user"] == "1000:1000" and service["mem_limit"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert_least_privilege(deployment["spec"]["template"]["spec"])


def test_how_to_pin_the_image_is_said(root):
    configure(root)
    for name in ("compose.yaml", "kubernetes.yaml"):
        assert f"imagetools inspect {IMAGE}" in (root / name).read_text()


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
