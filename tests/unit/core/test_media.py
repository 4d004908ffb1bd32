import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.errors import ManifestInvalid
from mooring.core.media import DOCKER_LIST, DOCKER_MANIFEST, INDEXES, MANIFESTS, OCI_INDEX, OCI_MANIFEST, parse
from mooring.core.reference import digest_of

TYPES = st.sampled_from(
    [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST, f"{OCI_MANIFEST}; charset=utf-8", "text/plain"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
DIGESTS = st.binary(max_size=4).flatmap(
    lambda data: st.sampled_from([digest_of(data, name) for name in ("sha256", "sha384", "sha512")])
)
NAMES = st.none() | st.text(max_size=9)
PLATFORMS = st.fixed_dictionaries(
    {"architecture": NAMES, "os": NAMES},
    optional={"os.version": NAMES, "os.features": st.lists(st.text()), "variant": NAMES, "unknown": JSON},
)
DESCRIPTORS = st.fixed_dictionaries(
    {"mediaType": st.text(string.printable.strip(), max_size=20), "digest": DIGESTS, "size": st.integers(0, 1 << 62)},
    optional={
        "urls": st.lists(st.text(), max_size=2),
        "annotations": st.dictionaries(st.text(), st.text(), max_size=2),
        "platform": st.none() | PLATFORMS,
        "artifactType": st.text(max_size=9),
        "unknown": JSON,
    },
)
COMMON = {"annotations": st.dictionaries(st.text(), st.text(), max_size=3), "subject": DESCRIPTORS, "unknown": JSON}
GOOD_MANIFESTS = st.fixed_dictionaries(
    {"schemaVersion": st.just(2), "config": DESCRIPTORS, "layers": st.lists(DESCRIPTORS, max_size=4)}, optional=COMMON
)
GOOD_INDEXES = st.fixed_dictionaries(
    {"schemaVersion": st.just(2), "manifests": st.lists(DESCRIPTORS, max_size=4)}, optional=COMMON
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), TYPES)
def test_anything_at_all_is_refused_with_a_sentence(content: bytes, media_type: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        parse(content, media_type)
    assert refused.value.message.startswith("unmarshal manifest failed: ")


@given(
    st.dictionaries(
        st.sampled_from(["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "annotations"]),
        JSON | DESCRIPTORS | st.lists(DESCRIPTORS | JSON, max_size=3) | st.just(2) | TYPES,
    ),
    TYPES,
)
def test_what_has_the_shape_of_a_manifest_is_parsed_or_refused(document: dict[str, Any], media_type: str) -> None:
    try:
        parsed = parse(json.dumps(document).encode(), media_type)
    except ManifestInvalid:
        return
    assert document["schemaVersion"] == 2
    assert parsed.media_type == media_type.partition(";")[0]


@given(GOOD_MANIFESTS, st.sampled_from(sorted(MANIFESTS)))
def test_good_manifests(document: dict[str, Any], media_type: str) -> None:
    parsed = parse(json.dumps(document | {"mediaType": media_type}).encode(), media_type)
    assert not parsed.is_index
    assert parsed.config is not None
    assert parsed.config.digest == document["config"]["digest"]
    assert [layer.size for layer in parsed.layers] == [layer["size"] for layer in document["layers"]]
    needed = [document["config"], *(layer for layer in document["layers"] if not layer.get("urls"))]
    assert [one.digest for one in parsed.blobs] == [one["digest"] for one in needed]
    assert parsed.annotations == document.get("annotations", {})
    assert (parsed.subject and parsed.subject.digest) == document.get("subject", {}).get("digest")


@given(GOOD_INDEXES, st.sampled_from(sorted(INDEXES)))
def test_good_indexes(document: dict[str, Any], media_type: str) -> None:
    document.get("annotations", {}).pop("org.opencontainers.artifactType", None)
    parsed = parse(json.dumps(document | {"mediaType": media_type}).encode(), media_type)
    assert parsed.is_index
    assert [child.digest for child in parsed.children] == [child["digest"] for child in document["manifests"]]
    assert [json.loads(bytes(child.platform) or b"0") for child in parsed.children] == [
        child.get("platform", 0) for child in document["manifests"]
    ]
    assert parsed.blobs == []


@given(GOOD_MANIFESTS)
def test_the_media_type_may_be_left_out_of_oci_documents_alone(document: dict[str, Any]) -> None:
    content = json.dumps(document).encode()
    assert parse(content, OCI_MANIFEST).media_type == OCI_MANIFEST
    with pytest.raises(ManifestInvalid, match="mediaType"):
        parse(content, DOCKER_MANIFEST)


@pytest.mark.parametrize("depth", [10, 900, 1000, 5000, 100_000, 1_000_000])
def test_nesting_never_ends_in_anything_else(depth: int) -> None:
    content = b'{"schemaVersion": 2, "manifests": [], "x": ' + b"[" * depth + b"]" * depth + b"}"
    try:
        parse(content, OCI_INDEX)
    except ManifestInvalid:
        assert depth > 100


@pytest.mark.parametrize(
    "platform", ["linux", 1, True, ["linux"], {"os": 1}, {"architecture": ["a"]}, {"os.features": "x"}]
)
def test_what_is_no_platform_is_refused(platform: object) -> None:
    child = {"mediaType": OCI_MANIFEST, "digest": digest_of(b""), "size": 0, "platform": platform}
    with pytest.raises(ManifestInvalid, match="platform"):
        parse(json.dumps({"schemaVersion": 2, "manifests": [child]}).encode(), OCI_INDEX)
