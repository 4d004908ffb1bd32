"""Tokens: what they say, and which are believed (Docker token specification, as Harbor has it)."""

import base64
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.parts.client import Answer, Client, expect
from tests.parts.server import Server, every_database
from tests.registry.contents import nothing_stored, query
from tests.registry.people import GUEST, MAINTAINER, person, robot, user_id

Claims = dict[str, Any]


def decoded(token: str) -> tuple[Claims, Claims]:
    """Header and claims, unverified."""
    header, claims, _ = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    return json.loads(header), json.loads(claims)


def part(value: Claims) -> str:
    """A header or claims as a token holds them."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def grants(answer: Answer) -> dict[str, list[str]]:
    """What a token grants, by the name of the resource."""
    return {one["name"]: sorted(one["actions"]) for one in decoded(answer.json()["token"])[1]["access"]}


def signing_key(server: Server) -> str:
    return str(query(server, "SELECT value FROM secret WHERE name = 'token_key'")[0]["value"])


@pytest.fixture
def image(client: Client, repository: str) -> str:
    """An image in the private repository; its address."""
    client.push_image(repository, "v1", b"layer")
    return f"/v2/{repository}/manifests/v1"


class TestClaims:
    def test_they_are_harbors(self, client: Client, repository: str) -> None:
        before = int(time.time())
        answer = expect(client.token(f"repository:{repository}:pull"), 200)
        after = int(time.time())
        body = answer.json()
        header, claims = decoded(body["token"])
        assert (header["alg"], header["typ"]) == ("RS256", "JWT")
        assert len(header["kid"].split(":")) == 12
        assert (claims["iss"], claims["aud"], claims["sub"]) == ("harbor-token-issuer", "harbor-registry", "admin")
        assert before <= claims["iat"] == claims["nbf"] <= after
        assert claims["exp"] - claims["iat"] == body["expires_in"] == 1800
        assert len(claims["jti"]) == 16
        assert body["access_token"] == ""
        issued = datetime.strptime(body["issued_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert int(issued.timestamp()) == claims["iat"]
        assert "refresh_token" not in body

    def test_a_token_of_nobody_has_no_subject(self, server: Server, repository: str) -> None:
        answer = expect(server.client("", "").token(f"repository:{repository}:pull"), 200)
        assert "sub" not in decoded(answer.json()["token"])[1]
        assert grants(answer) == {repository: []}

    def test_all_rights_in_the_project_whatever_was_asked(self, server: Server, repository: str) -> None:
        project = repository.partition("/")[0]
        for role, actions in ((GUEST, ["pull"]), (2, ["pull", "push"]), (MAINTAINER, ["delete", "pull", "push"])):
            assert grants(person(server, project, role).token(f"repository:{repository}:pull")) == {repository: actions}

    def test_several_scopes_and_strange_ones(self, server: Server, client: Client, repository: str) -> None:
        public = f"{server.create_project(public=True)}/a"
        member = person(server, repository.partition("/")[0], GUEST)
        scopes = (
            f"repository:{repository}:push repository:{public}:pull repository:none/a:pull registry:catalog:* x:y:z"
        )
        assert grants(member.token(scopes)) == {
            repository: ["pull"],
            public: ["pull"],
            "none/a": [],
            "catalog": [],
            "y": [],
        }
        assert grants(client.token("registry:catalog:*")) == {"catalog": ["*"]}

    def test_a_wrong_password_is_401_without_a_scope_and_nobody_with_one(self, server: Server, repository: str) -> None:
        wrong = server.client(person(server).username, "Not-the-word-1")
        assert (wrong.token().status, wrong.token().body) == (401, b"")
        assert grants(wrong.token(f"repository:{repository}:pull")) == {repository: []}

    @pytest.mark.parametrize(
        ("method", "service", "status"), [("POST", "harbor-registry", 405), ("GET", "other", 400), ("GET", "", 400)]
    )
    def test_other_ways_to_ask(self, client: Client, method: str, service: str, status: int) -> None:
        assert client.send(method, f"/service/token?service={service}", headers=client.basic()).status == status


class TestForged:
    """Every token but our own is nobody's: 401, and nothing is stored."""

    @pytest.fixture
    def claims(self, client: Client, repository: str, image: str) -> Claims:
        return decoded(client.token(f"repository:{repository}:pull,push,delete").json()["token"])[1]

    def refused(self, server: Server, image: str, token: str) -> None:
        blobs = image.partition("/manifests/")[0] + "/blobs/uploads/"
        headers = {"Authorization": f"Bearer {token}"}
        with nothing_stored(server):
            for method, path in (("GET", image), ("HEAD", image), ("DELETE", image), ("POST", blobs), ("GET", "/v2/")):
                answer = server.client().send(method, path, headers=headers)
                assert answer.status == 401, (method, path)
                assert answer.headers["Www-Authenticate"] == 'Basic realm="harbor"'

    def test_our_own_passes(self, server: Server, image: str, claims: Claims) -> None:
        key = RSAKey.import_key(signing_key(server))
        token = jwt.encode({"alg": "RS256"}, claims, key)
        expect(server.client().send("GET", image, headers={"Authorization": f"Bearer {token}"}), 200)

    def test_with_another_key(self, server: Server, image: str, claims: Claims) -> None:
        key = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
        self.refused(server, image, jwt.encode({"alg": "RS256"}, claims, key))

    def test_with_no_signature(self, server: Server, image: str, claims: Claims) -> None:
        for algorithm in ("none", "None", "NONE", "", "RS256"):
            self.refused(server, image, f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}.")

    def test_with_the_public_key_as_a_secret(self, server: Server, image: str, claims: Claims) -> None:
        public = load_pem_private_key(signing_key(server).encode(), None).public_key()
        for form in (Encoding.PEM, Encoding.DER):
            secret = public.public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
            signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
            signature = hmac.digest(secret, signed.encode(), "sha256")
            self.refused(server, image, f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "another-registry"},
            {"aud": []},
            {"aud": None},
            {"iss": "somebody"},
            {"exp": 1},
            {"exp": None},
            {"exp": "soon"},
            {"nbf": 1 << 40},
            {"iat": None},
            {"iat": 1},
            {"sub": "nobody-here"},
            {"jti": "abcdef0000004711"},
            {"jti": ""},
            {"access": []},
            {"access": "everything"},
            {"access": [{"type": "repository", "name": "*", "actions": ["*"]}]},
            {"access": [{"type": "registry", "name": "catalog", "actions": ["*"]}]},
        ],
        ids=str,
    )
    def test_with_claims_that_are_not_for_here(
        self, server: Server, image: str, claims: Claims, changes: Claims
    ) -> None:
        """Signed with our key, as an installation that shares it by mistake would."""
        wanted = {name: value for name, value in (claims | changes).items() if value is not None}
        token = jwt.encode({"alg": "RS256"}, wanted, RSAKey.import_key(signing_key(server)))
        with nothing_stored(server):
            answer = server.client().send("GET", image, headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 401

    @pytest.mark.parametrize("changed", ["header", "claims", "signature"])
    def test_with_a_letter_changed(
        self, server: Server, client: Client, repository: str, image: str, changed: str
    ) -> None:
        parts = client.token(f"repository:{repository}:pull,push,delete").json()["token"].split(".")
        at = ["header", "claims", "signature"].index(changed)
        middle = len(parts[at]) // 2
        parts[at] = parts[at][:middle] + ("A" if parts[at][middle] != "A" else "B") + parts[at][middle + 1 :]
        self.refused(server, image, ".".join(parts))

    @pytest.mark.parametrize(
        "text", ["", ".", "..", "...", "a.b.c", "e30.e30.", "W10.W10.W10", "MQ.MQ.MQ", "\xff", "null", "x" * 5000]
    )
    def test_what_is_no_token(self, server: Server, image: str, text: str) -> None:
        self.refused(server, image, text)

    @pytest.mark.parametrize(
        "header",
        ["Basic", "Basic !!!", "Basic YWRtaW4=", "Basic /////w==", "Digest x", "x", "Bearer", "Harbor-Secret x"],
    )
    def test_what_are_no_credentials(self, server: Server, image: str, header: str) -> None:
        answer = server.client().send("GET", image, headers={"Authorization": header})
        assert (answer.status, answer.codes()) == (401, ["UNAUTHORIZED"])


class TestAccounts:
    """The rights in a token hold until it expires, but only as long as its account may act."""

    @every_database
    def test_a_deleted_user_ends_at_once(self, server: Server, client: Client, repository: str, image: str) -> None:
        member = person(server, repository.partition("/")[0], MAINTAINER)
        expect(member.registry("GET", image), 200)
        expect(client.api("DELETE", f"/users/{user_id(server, member)}"), 200)
        for _ in range(8):  # whichever process answers
            assert member.registry("GET", image).status == 401
            assert member.registry("POST", image.replace("manifests/v1", "blobs/uploads/")).status == 401
            assert member.send("GET", image, headers=member.basic()).status == 401

    @every_database
    def test_a_disabled_or_deleted_robot_ends_at_once(
        self, server: Server, client: Client, repository: str, image: str
    ) -> None:
        machine, number = robot(server, repository.partition("/")[0], "pull", "push")
        expect(machine.registry("GET", image), 200)
        found = expect(client.api("GET", f"/robots/{number}"), 200).json()
        expect(client.api("PUT", f"/robots/{number}", found | {"disable": True}), 200)
        for _ in range(8):
            assert machine.registry("GET", image).status == 401
            assert machine.send("GET", image, headers=machine.basic()).status == 401
        expect(client.api("PUT", f"/robots/{number}", found | {"disable": False}), 200)
        machine = server.client(machine.username, machine.password)
        expect(machine.registry("GET", image), 200)
        expect(client.api("DELETE", f"/robots/{number}"), 200)
        for _ in range(8):
            assert machine.registry("GET", image).status == 401

    @every_database
    def test_other_secrets_and_permissions_end_a_token_at_once(
        self, server: Server, client: Client, repository: str, image: str
    ) -> None:
        project = repository.partition("/")[0]
        member = person(server, project, MAINTAINER)
        expect(member.registry("GET", image), 200)
        own = f"/users/{user_id(server, member)}/password"
        expect(client.api("PUT", own, {"new_password": "Another-one-1"}), 200)
        machines = [robot(server, project, "pull", "push") for _ in range(2)]
        for machine, _ in machines:
            expect(machine.registry("GET", image), 200)
        (_, first), (_, second) = machines
        found = expect(client.api("GET", f"/robots/{first}"), 200).json()
        found["permissions"][0]["access"] = [{"resource": "repository", "action": "list"}]
        expect(client.api("PUT", f"/robots/{first}", found), 200)
        expect(client.api("PATCH", f"/robots/{second}", {}), 200)
        for old in (member, *(machine for machine, _ in machines)):
            kept = old.bearer(f"repository:{repository}:pull,push,delete")
            for _ in range(8):  # whichever process answers
                assert old.send("GET", image, headers=kept).status == 401
                assert old.send("GET", "/v2/", headers=kept).status == 401
        expect(server.client(member.username, "Another-one-1").registry("GET", image), 200)

    def test_another_person_of_the_same_name_does_not_inherit_a_token(
        self, server: Server, client: Client, repository: str, image: str
    ) -> None:
        member = person(server, repository.partition("/")[0], MAINTAINER)
        old = member.bearer(f"repository:{repository}:pull")
        expect(client.api("DELETE", f"/users/{user_id(server, member)}"), 200)
        again = {"username": member.username, "email": f"{member.username}@example.com", "realname": "x"}
        expect(client.api("POST", "/users", again | {"password": member.password}), 201)
        for _ in range(8):
            assert member.send("GET", image, headers=old).status == 401

    @every_database
    def test_a_project_made_again_is_not_what_old_tokens_were_for(self, server: Server, client: Client) -> None:
        """Harbor allows clocks to differ by a minute, so the old token is dated back here."""
        project = server.create_project()
        claims = decoded(client.token(f"repository:{project}/a:pull").json()["token"])[1]
        old = claims | {"iat": claims["iat"] - 120, "nbf": claims["nbf"] - 120, "jti": "another"}
        headers = {
            "Authorization": "Bearer " + jwt.encode({"alg": "RS256"}, old, RSAKey.import_key(signing_key(server)))
        }
        path = f"/v2/{project}/a/blobs/uploads/"
        assert client.send("POST", path, headers=headers).status == 401
        expect(client.registry("POST", path), 202)

    def test_rights_are_the_projects(self, client: Client, repository: str, image: str) -> None:
        """One token serves every repository of a project; no other project."""
        sibling = client.bearer(f"repository:{repository.partition('/')[0]}/other:pull")
        expect(client.send("GET", image, headers=sibling), 200)
        other = client.bearer("repository:library/other:pull")
        assert client.send("GET", image, headers=other).status == 401
