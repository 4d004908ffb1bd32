"""What a person sees when the server answers: where it is, who they are, and how to log in, push and pull."""

from mooring import __version__
from mooring.settings import Settings


def address(settings: Settings) -> str:
    """The address that clients on this machine, or those that the settings speak of, reach the server at."""
    if settings.external_url:
        return settings.external_url.rstrip("/")
    listener, usual = (settings.https, 443) if settings.https else (settings.http, 80)
    scheme = "https" if settings.https else "http"
    return f"{scheme}://{settings.hostname}" + ("" if listener.port == usual else f":{listener.port}")


def banner(settings: Settings, password: str) -> str:
    """The text. The password is shown when it was made up just now; it is kept nowhere in clear."""
    url = address(settings)
    host = url.partition("://")[2]
    plain = " --tls-verify=false" if url.startswith("http://") else ""
    said = password or "as set at the first start; `mooring user password admin` sets another"
    return f"""
Mooring {__version__} answers at {url}

  administrator  admin
  password       {said}{"  (shown this once)" if password else ""}

  docker login {host} --username admin
  docker push {host}/library/hello:latest
  docker pull {host}/library/hello:latest

  podman login{plain} {host} --username admin
  podman push{plain} {host}/library/hello:latest
  podman pull{plain} {host}/library/hello:latest
"""
