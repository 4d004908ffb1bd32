"""Pictures of artifacts. Those of Harbor's kinds go by the digests that its clients know; ours by their own."""

from importlib.resources import files
from typing import Final

from mooring.features.artifacts.kinds import MAX_ICON

DEFAULT: Final = "sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f"
OF_TYPE: Final = {
    "IMAGE": "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06",
    "CHART": "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518",
    "CNAB": "sha256:089bdda265c14d8686111402c8ad629e8177a1ceb7dcd0f7f39b6480f623b3bd",
    "WASM": "sha256:6e9af2c94a802dccabdb872cd562884167a5a6f3213166002730e5960d0115c2",
    "CNAI": "sha256:168a3f92e87984d4b9ccf176fa0ff4278dbf74a065cc5b5e5f2ac4647ad09080",
    "SBOM": "sha256:943197bfa9fb4ba7f2956935f5bfffc9c127e0c680013916ea15478dddb3f732",
}
OF_ACCESSORY: Final = {
    "signature.cosign": "sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882",
}
_FILES: Final = {
    DEFAULT: "default",
    OF_TYPE["IMAGE"]: "image",
    OF_TYPE["CHART"]: "chart",
    OF_TYPE["CNAB"]: "cnab",
    OF_TYPE["WASM"]: "wasm",
    OF_TYPE["CNAI"]: "model",
    OF_TYPE["SBOM"]: "sbom",
    OF_ACCESSORY["signature.cosign"]: "signature",
}
# How a picture begins; one that an artifact brings along is shown as it is and never decoded here.
_BEGINNINGS: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def built_in(digest: str) -> bytes | None:
    """The PNG that goes by the digest, 50 pixels wide."""
    name = _FILES.get(digest)
    return files(__package__).joinpath("icons", f"{name}.png").read_bytes() if name else None


def content_type(content: bytes) -> str | None:
    """What kind of picture this is; None for what is none, or too big for one."""
    if len(content) > MAX_ICON:
        return None
    return next((kind for beginning, kind in _BEGINNINGS.items() if content.startswith(beginning)), None)
