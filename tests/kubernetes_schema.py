"""Whether a document is what the Kubernetes API takes, by its own types."""

import re

import kubeflow.training
import kubernetes.client


def check(value, kind, where="job"):
    """Raises an AssertionError where a value is not of a kind as the Kubernetes API names it."""
    if inner := re.fullmatch(r"list\[(.*)\]", kind):
        assert isinstance(value, list), where
        for index, each in enumerate(value):
            check(each, inner[1], f"{where}[{index}]")
    elif inner := re.fullmatch(r"dict\(str, (.*)\)", kind):
        for name, each in value.items():
            check(each, inner[1], f"{where}.{name}")
    elif kind in ("str", "int", "bool"):
        assert type(value).__name__ == kind or (kind, type(value)) == ("str", int), where
    elif kind != "object":
        model = _model(kind)
        names = {alias: name for name, alias in model.attribute_map.items()}
        for name, each in value.items():
            assert name in names, f"{where} has no field {name!r}. There are: {sorted(names)}."
            check(each, model.openapi_types[names[name]], f"{where}.{name}")


def assert_least_privilege(pod):
    """Asserts that a pod's containers get no more rights than a program of a user's needs."""
    assert pod["automountServiceAccountToken"] is False
    of_all = pod["securityContext"]
    assert of_all["runAsNonRoot"] is True and of_all["runAsUser"] == of_all["fsGroup"] == 1000
    assert of_all["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]} and not own.get("privileged")
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])


def _model(kind):
    return getattr(kubeflow.training, kind, None) or getattr(kubernetes.client, kind)
