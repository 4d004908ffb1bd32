"""What is read from the bytes of artifacts: additions and pictures."""

import base64
import gzip
import io
import json
import tarfile
from typing import Any

import pytest

from tests.api.test_artifacts import EMPTY, descriptor, manifest_of, push_index
from tests.parts.client import OCI_MANIFEST, Client, expect

CHART = "application/vnd.cncf.helm.config.v1+json"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MODEL = "application/vnd.cncf.model.manifest.v1+json"
MODEL_CONFIG = "application/vnd.cncf.model.config.v1+json"
MODEL_DOC = "application/vnd.cncf.model.doc.v1"
SBOM = "application/vnd.goharbor.harbor.sbom.v1"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def tar_of(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def push(client: Client, repository: str, config: tuple[str, bytes], *layers: dict[str, Any], **more: object) -> str:
    """Push a manifest whose layers are given with their bytes as `data`; its digest."""
    kind, content = config
    client.push_blob(repository, content)
    described = []
    for layer in layers:
        data = layer.pop("data")
        client.push_blob(repository, data)
        described.append(descriptor(data, layer.pop("mediaType", "application/octet-stream"), **layer))
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(content, kind), "layers": described}
    return client.push_manifest(repository, "v1", json.dumps(manifest | more).encode())


@pytest.fixture
def additions(project: str) -> str:
    return f"/projects/{project}/repositories/app/artifacts/v1/additions"


def test_a_chart(admin: Client, project: str, additions: str) -> None:
    config = {"name": "web", "version": "1.0.0", "dependencies": [{"name": "sub", "version": "0.1.0"}]}
    files = {
        "web/Chart.yaml": b"name: web",
        "web/charts/sub/values.yaml": b"not: these",
        "web/values.yaml": b"size: 3\n",
        "web/README.md": b"# Web\n",
    }
    layer = {"mediaType": CHART_LAYER, "data": tar_of(files)}
    push(admin, f"{project}/app", (CHART, json.dumps(config).encode()), layer)
    values = expect(admin.api("GET", f"{additions}/values.yaml"), 200)
    assert (values.body, values.headers["Content-Type"]) == (b"size: 3\n", "text/plain; charset=utf-8")
    readme = expect(admin.api("GET", f"{additions}/readme.md"), 200)
    assert (readme.body, readme.headers["Content-Type"]) == (b"# Web\n", "text/markdown; charset=utf-8")
    assert expect(admin.api("GET", f"{additions}/dependencies"), 200).json() == config["dependencies"]
    shown = expect(admin.api("GET", additions.rpartition("/")[0]), 200).json()
    assert set(shown["addition_links"]) == {"values.yaml", "readme.md", "dependencies"}
    for link in shown["addition_links"].values():
        expect(admin.send("GET", link["href"], headers=admin.basic()), 200)
    expect(admin.api("GET", f"{additions}/build_history"), 400)


@pytest.mark.parametrize("data", [b"no archive", tar_of({"web/Chart.yaml": b"name: web"}), b"\x1f\x8b broken", b""])
def test_a_chart_without_values_says_so(admin: Client, project: str, additions: str, data: bytes) -> None:
    push(admin, f"{project}/app", (CHART, b'{"name": "web"}'), {"mediaType": CHART_LAYER, "data": data})
    refused = expect(admin.api("GET", f"{additions}/values.yaml"), 404)
    assert refused.json()["errors"][0]["message"].startswith("values.yaml not found")
    assert expect(admin.api("GET", f"{additions}/dependencies"), 200).json() == []


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_SPARSE])
def test_what_archives_say_of_their_members_takes_no_room(
    admin: Client, project: str, additions: str, kind: bytes
) -> None:
    """As the names of pax keywords, each a little shorter than the one before, this would be 5 GB."""
    member = tarfile.TarInfo("web/long")
    member.type, member.size = kind, 128 << 10
    data = member.tobuf(tarfile.USTAR_FORMAT) + b"2 " * (64 << 10) + tar_of({"web/values.yaml": b"size: 3"}, "w")
    push(admin, f"{project}/app", (CHART, b"{}"), {"mediaType": CHART_LAYER, "data": gzip.compress(data)})
    assert expect(admin.api("GET", f"{additions}/values.yaml"), 200).body == b"size: 3"


def test_a_model_of_more_folders_than_can_be_shown(admin: Client, project: str, additions: str) -> None:
    def weights(path: str) -> dict[str, Any]:
        return {"data": b"12345", "annotations": {"org.cncf.model.filepath": path}}

    push(admin, f"{project}/app", (MODEL_CONFIG, EMPTY), weights("a/" * 3000 + "model.bin"), artifactType=MODEL)
    expect(admin.api("GET", f"{additions}/files"), 404)


@pytest.mark.parametrize("packing", [".raw", ".tar"])
def test_a_model(admin: Client, project: str, additions: str, packing: str) -> None:
    def document(name: str, text: bytes) -> dict[str, Any]:
        data = text if packing == ".raw" else tar_of({name: text}, "w")
        return {"mediaType": MODEL_DOC + packing, "data": data, "annotations": {"org.cncf.model.filepath": name}}

    weights = {"data": b"12345", "annotations": {"org.cncf.model.filepath": "weights/a/model.bin"}}
    layers = [document("README.md", b"# Model"), document("LICENSE", b"Apache"), weights]
    push(admin, f"{project}/app", (MODEL_CONFIG, EMPTY), *layers, artifactType=MODEL)
    assert expect(admin.api("GET", f"{additions}/readme.md"), 200).body == b"# Model"
    assert expect(admin.api("GET", f"{additions}/license"), 200).body == b"Apache"
    files = expect(admin.api("GET", f"{additions}/files"), 200).json()
    assert [each["name"] for each in files] == ["README.md", "LICENSE", "weights"]
    inside = [{"name": "model.bin", "type": "file", "size": 5}]
    assert files[2]["children"] == [{"name": "a", "type": "directory", "children": inside}]


def test_a_bill_of_materials(admin: Client, project: str, additions: str) -> None:
    push(admin, f"{project}/app", (SBOM, EMPTY), {"mediaType": SBOM, "data": b'{"packages": []}'})
    assert expect(admin.api("GET", f"{additions}/sbom"), 200).json() == {"packages": []}


def test_what_others_do_not_have(admin: Client, project: str, additions: str) -> None:
    admin.push_image(f"{project}/app", "v1", b"layer")
    assert expect(admin.api("GET", f"{additions}/build_history"), 200).json() == []
    expect(admin.api("GET", f"{additions}/values.yaml"), 400)
    expect(admin.api("GET", f"{additions}/nonsense"), 422)
    expect(admin.api("GET", f"{additions}/vulnerabilities"), 404)
    push_index(admin, f"{project}/app", "multi", manifest_of(admin, f"{project}/app", "v1"))
    expect(admin.api("GET", f"/projects/{project}/repositories/app/artifacts/multi/additions/build_history"), 400)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/vnd.oci.image.config.v1+json", b'{"os": "linux"}'),
        (CHART, b"{}"),
        ("application/vnd.cnab.manifest.v1", EMPTY),
        ("application/vnd.wasm.config.v1+json", b"{}"),
        (MODEL, EMPTY),
        (SBOM, EMPTY),
        ("application/vnd.example.thing", EMPTY),
    ],
)
def test_every_kind_has_its_picture(admin: Client, anonymous: Client, project: str, kind: str, content: bytes) -> None:
    push(admin, f"{project}/app", (kind, content))
    shown = expect(admin.api("GET", f"/projects/{project}/repositories/app/artifacts/v1"), 200).json()
    icon = expect(anonymous.api("GET", f"/icons/{shown['icon']}"), 200).json()
    assert icon["content-type"] == "image/png"
    assert base64.b64decode(icon["content"]).startswith(b"\x89PNG")


def test_a_picture_that_an_artifact_brings_along(admin: Client, anonymous: Client, project: str) -> None:
    config = ("application/vnd.example.thing.config.v1+json", b'{"some": "thing"}')
    mark = {"io.goharbor.artifact.v1alpha1.icon": ""}
    push(admin, f"{project}/app", config, {"data": PNG, "annotations": mark}, {"data": b"the thing"})
    artifact = f"/projects/{project}/repositories/app/artifacts/v1"
    shown = expect(admin.api("GET", artifact), 200).json()
    assert (shown["type"], shown["extra_attrs"]) == ("THING", {"some": "thing"})
    icon = expect(anonymous.api("GET", f"/icons/{shown['icon']}"), 200).json()
    assert (icon["content-type"], base64.b64decode(icon["content"])) == ("image/png", PNG)
    other = descriptor(b"the thing", "application/octet-stream")["digest"]
    expect(anonymous.api("GET", f"/icons/{other}"), 404)


def test_what_calls_itself_a_picture_and_is_none(admin: Client, anonymous: Client, project: str) -> None:
    mark = {"io.goharbor.artifact.v1alpha1.icon": ""}
    layer = {"data": b"<script>", "annotations": mark}
    push(admin, f"{project}/app", ("application/vnd.example.thing", EMPTY), layer)
    shown = expect(admin.api("GET", f"/projects/{project}/repositories/app/artifacts/v1"), 200).json()
    expect(anonymous.api("GET", f"/icons/{shown['icon']}"), 404)
