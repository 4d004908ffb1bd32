"""An upload as a test drives it, one request at a time."""

from urllib.parse import urlencode

from tests.parts.client import Answer, Body, Client, expect


class Upload:
    """An upload of a client's to a repository. `location` is where the last answer said to go on."""

    def __init__(self, client: Client, repository: str, algorithm: str = "", *, started: Answer | None = None) -> None:
        self.client = client
        self.repository = repository
        parameters = f"?digest-algorithm={algorithm}" if algorithm else ""
        started = started or expect(client.registry("POST", f"/v2/{repository}/blobs/uploads/{parameters}"), 202)
        self.id = started.headers["Docker-Upload-UUID"]
        self.location = started.headers["Location"].removeprefix(client.url)

    def patch(self, body: Body, content_range: str = "", **headers: str) -> Answer:
        """Send a chunk; where it was taken, the upload goes on behind it."""
        return self._follow(self._send("PATCH", self.location, body, content_range, headers))

    def put(self, digest: str, body: Body = b"", content_range: str = "", **headers: str) -> Answer:
        """Close it, with a last chunk if there is one."""
        address = f"{self.location}&{urlencode({'digest': digest})}"
        return self._send("PUT", address, body, content_range, headers)

    def status(self) -> Answer:
        """Ask how far it has come, as a client does that lost an answer."""
        return self._follow(self.client.registry("GET", self.location))

    def cancel(self) -> Answer:
        return self.client.registry("DELETE", self.location)

    def _send(self, method: str, address: str, body: Body, content_range: str, headers: dict[str, str]) -> Answer:
        sent = {"Content-Type": "application/octet-stream"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if content_range:
            sent["Content-Range"] = content_range
        return self.client.registry(method, address, body, sent)

    def _follow(self, answer: Answer) -> Answer:
        if answer.status in (202, 204):
            self.location = answer.headers["Location"].removeprefix(self.client.url)
        return answer
