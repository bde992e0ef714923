"""What a page of another site, another port or another name can read and do through a visitor's browser."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi

from local_hub import HubSettings, RunningHub, TokenGrant, running_hub
from tests.local_hub.accounts import GRANTS, OTHER, READ, WRITE

BEARER = {"Authorization": f"Bearer {WRITE}"}
EVIL = {"Origin": "http://evil.example"}
LARGE = b"\0" * 20_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path_factory.mktemp("hub"), tokens=GRANTS, xet=False, allow_faults=True)
    with running_hub(settings) as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", running.endpoint)
        fill(HfApi(endpoint=running.endpoint, token=WRITE))
        yield running


def fill(api: HfApi) -> None:
    """A public model, a private one and a static Space."""
    files = {"config.json": b'{"public": 1}', "large.bin": LARGE}
    for name, private in (("ann/open", False), ("ann/closed", True)):
        api.create_repo(name, private=private)
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        api.create_commit(name, operations, commit_message="files")
    api.create_repo("ann/page", repo_type="space", space_sdk="static")


def sign_in(hub: RunningHub, token: str = READ, **headers: str) -> requests.Session:
    browser = requests.Session()
    answer = browser.post(f"{hub.endpoint}/login", data={"token": token}, headers=headers, timeout=10)
    assert answer.ok, answer.text
    return browser


def may_read(hub: RunningHub, browser: requests.Session, path: str = "/ann/closed", **headers: str) -> bool:
    return browser.get(hub.endpoint + path, headers={"Accept": "text/html", **headers}, timeout=10).ok


def test_a_session_is_for_one_server(hub: RunningHub, tmp_path: Path) -> None:
    """Cookies go to every port of a host: name and content say for which one they are."""
    browser = sign_in(hub)
    [cookie] = browser.cookies
    assert str(urlsplit(hub.endpoint).port) in cookie.name
    assert cookie.has_nonstandard_attr("HttpOnly")
    shutil.copy(hub.hub.settings.root / "key", tmp_path / "key")  # even one that signs with the same key
    with running_hub(HubSettings(tmp_path, tokens=GRANTS)) as other:
        HfApi(endpoint=other.endpoint, token=WRITE).create_repo("ann/closed", private=True)
        assert not may_read(other, browser)
        name = f"local_hub_session_{urlsplit(other.endpoint).port}"
        assert not may_read(other, browser, Cookie=f"{name}={cookie.value}")


def test_a_session_ends_with_its_token(tmp_path: Path) -> None:
    settings = HubSettings(tmp_path, tokens=GRANTS)
    with running_hub(settings) as first:
        HfApi(endpoint=first.endpoint, token=WRITE).create_repo("ann/closed", private=True)
        browser = sign_in(first, READ)
        assert may_read(first, browser)
        [cookie] = browser.cookies
        port = urlsplit(first.endpoint).port
    rotated = (TokenGrant("ann", "write", WRITE), TokenGrant("ann", "read", "hf_another"))
    for tokens, expected in ((GRANTS, True), (rotated, False), (rotated[1:], False)):
        with running_hub(replace(settings, tokens=tokens)) as again:
            sessions = again.hub.sessions
            sessions.cookie, sessions._port = f"local_hub_session_{port}", port  # as if it had the same port
            assert may_read(again, requests.Session(), Cookie=f"{cookie.name}={cookie.value}") is expected


def test_signing_out_ends_copies_of_the_cookie_too(hub: RunningHub) -> None:
    browser = sign_in(hub)
    [cookie] = browser.cookies
    copy = {"Cookie": f"{cookie.name}={cookie.value}"}
    assert may_read(hub, requests.Session(), **copy)
    browser.post(f"{hub.endpoint}/logout", timeout=10)
    assert not may_read(hub, requests.Session(), **copy)


@pytest.mark.parametrize(
    "headers",
    [
        EVIL,
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this host
    ],
)
def test_no_other_page_uses_or_makes_a_session(hub: RunningHub, headers: dict[str, str]) -> None:
    browser = sign_in(hub)
    for path in ("/ann/closed", "/ann/closed/resolve/main/config.json", "/ann/closed/tree/main"):
        assert may_read(hub, browser, path)
        assert not may_read(hub, browser, path, **headers)
    form = {"token": OTHER}
    for path in ("/login", "/logout"):
        answer = requests.post(hub.endpoint + path, data=form, headers=headers, timeout=10)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
    own = {"Origin": hub.endpoint, "Sec-Fetch-Site": "same-origin"}
    assert may_read(hub, sign_in(hub, **own), **own)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login",
        "/ann/open",
        "/ann/open/tree/main",
        "/api/models",
        "/api/whoami-v2",
        "/_hub/static/page.js",
    ],
)
def test_pages_and_lists_are_not_for_other_sites(hub: RunningHub, path: str) -> None:
    for headers in (EVIL, {}, {"Origin": "null"}):
        answer = requests.get(hub.endpoint + path, headers=headers, timeout=10)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/ann/open/resolve/main/config.json",
        "/ann/open/resolve/main/large.bin",
        "/ann/open/resolve/main/missing.json",
        "/api/models/ann/open",
        "/api/models/ann/open/tree/main",
        "/spaces/ann/page/app/",
    ],
)
def test_public_files_are_for_every_page(hub: RunningHub, path: str) -> None:
    """transformers.js in any page, a static Space in its sandbox (`Origin: null`); redirects included."""
    for headers in (EVIL, {"Origin": "null"}):
        answer = requests.get(hub.endpoint + path, headers=headers, timeout=10)
        for step in [*answer.history, answer]:
            assert step.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in step.headers
    with_token = requests.get(f"{hub.endpoint}/api/whoami-v2", headers={**EVIL, **BEARER}, timeout=10)
    assert with_token.headers["Access-Control-Allow-Origin"] == "*"


def test_preflights_allow_what_brings_a_token_or_reads_files(hub: RunningHub) -> None:
    def allowed(path: str, wanted: str) -> bool:
        headers = {**EVIL, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
        answer = requests.options(hub.endpoint + path, headers=headers, timeout=10)
        return "Access-Control-Allow-Origin" in answer.headers

    assert allowed("/api/repos/create", "authorization, content-type")
    assert allowed("/ann/open/resolve/main/config.json", "range")
    assert not allowed("/api/repos/create", "content-type")
    assert not allowed("/hf-inference/models/ann/open", "content-type")
    assert not allowed("/_test/faults", "content-type")


def raw(hub: RunningHub, host: str | None, path: str = "/api/models/ann/open") -> int:
    connection = http.client.HTTPConnection(urlsplit(hub.endpoint).netloc, timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8090",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "evil.example,localhost",
        "10.0.0.1",
        "[::2]",
        "127.0.0.1:1:2",
        "0x7f.1",
        "",
    ],
)
def test_a_rebound_name_is_refused(hub: RunningHub, host: str) -> None:
    assert raw(hub, host) in (400, 421)
    assert raw(hub, host, "/") in (400, 421)


def test_own_names_are_answered(hub: RunningHub, tmp_path: Path) -> None:
    for host in ("127.0.0.1", "127.0.0.1:1234", "localhost", "LOCALHOST:80", "[::1]:8090", "127.9.9.9"):
        assert raw(hub, host) == 200
    named = HubSettings(tmp_path, tokens=GRANTS, hosts=("Hub.Desk.example",))
    with running_hub(named) as other:
        assert raw(other, "hub.desk.example:443", "/api/models") == 200
        assert raw(other, "desk.example", "/api/models") == 421


def test_forwarded_addresses_are_believed_of_named_proxies_only(tmp_path: Path) -> None:
    settings = HubSettings(tmp_path / "a", tokens=GRANTS, requests_per_5_minutes=5)

    def codes(server: RunningHub, *names: str) -> list[int]:
        return [
            requests.get(
                f"{server.endpoint}/api/models", headers=dict.fromkeys(names, f"10.0.0.{number}"), timeout=10
            ).status_code
            for number in range(8)
        ]

    with running_hub(settings) as plain:
        assert codes(plain, "X-Forwarded-For", "X-Real-IP", "Forwarded") == [200] * 5 + [429] * 3
        lied = requests.get(
            f"{plain.endpoint}/ann/x",
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil"},
            timeout=9,
        )
        assert "evil" not in lied.text
    proxied = replace(settings, root=tmp_path / "b", trusted_proxies=("127.0.0.1",))
    with running_hub(proxied) as behind:
        assert codes(behind, "X-Forwarded-For") == [200] * 8


def test_the_control_plane_opens_with_its_own_token_only(hub: RunningHub) -> None:
    address = f"{hub.endpoint}/_test"
    for headers in ({}, BEARER, {"Authorization": f"Bearer {READ}"}, {"Authorization": "Bearer "}, EVIL):
        assert requests.get(f"{address}/log", headers=headers, timeout=10).status_code in (401, 403)
        assert requests.get(f"{address}/faults", headers=headers, timeout=10).status_code in (401, 403)
        assert requests.post(f"{address}/faults", json=[], headers=headers, timeout=10).status_code in (
            401,
            403,
        )
    page = {**EVIL, "Content-Type": "text/plain"}  # a request that needs no preflight
    assert (
        requests.post(f"{address}/faults", data='[{"status": 500}]', headers=page, timeout=10).status_code
        == 403
    )
    assert requests.get(f"{hub.control}/log", timeout=10).ok
    file = hub.hub.settings.root / "control"
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_log_repeats_nothing_that_opens_anything(hub: RunningHub) -> None:
    requests.get(f"{hub.control}/log?clear=1", timeout=10)
    answer = requests.get(f"{hub.endpoint}/ann/closed/resolve/main/large.bin", headers=BEARER, timeout=10)
    assert answer.content == LARGE
    [(name, value)] = [part.split("=") for part in urlsplit(answer.url).query.split("&")]
    oid = urlsplit(answer.url).path.rsplit("/", 1)[1]
    for query in (
        urlencode({"x": value}),
        "".join(f"%{ord(letter):02x}" for letter in name) + f"={value}",
        f"signature={value}&signature={value}",
        urlencode({"access_token": WRITE}),
    ):
        requests.get(f"{hub.endpoint}/_hub/storage/{oid}?{query}", timeout=10)
    requests.get(f"{hub.endpoint}/_hub/storage/{value}", timeout=10)
    told = requests.get(f"{hub.control}/log", timeout=10).text
    assert "/_hub/storage/" in told
    for secret in (value, value.split(".")[1], WRITE, hub.hub.control_token):
        assert str(secret) not in told


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PROBE = """<!doctype html><pre id="told"></pre><script>
const hub = "HUB";
const probes = {
  file: () => fetch(`${hub}/ann/open/resolve/main/config.json`).then(r => r.text()),
  large: () => fetch(`${hub}/ann/open/resolve/main/large.bin`).then(r => r.arrayBuffer())
    .then(bytes => bytes.byteLength),
  list: () => fetch(`${hub}/api/models`).then(r => r.text()),
  page: () => fetch(`${hub}/`).then(r => r.text()),
  login: () => fetch(`${hub}/login`, {method: "POST", mode: "no-cors", credentials: "include",
    body: new URLSearchParams({token: "hf_other"})}).then(() => "sent"),
  faults: () => fetch(`${hub}/_test/faults`, {method: "POST", mode: "no-cors",
    body: '[{"status": 500, "n": 99}]'}).then(() => "sent"),
};
(async () => {
  const told = {};
  for (const [name, probe] of Object.entries(probes)) {
    told[name] = await probe().catch(error => `refused: ${error.message}`);
  }
  document.getElementById("told").textContent = JSON.stringify(told);
})();
</script>"""


@pytest.fixture
def evil_page(hub: RunningHub) -> Iterator[str]:
    """A page on another port of this host, which for cookies is the same site."""
    html = PROBE.replace("HUB", hub.endpoint).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_a_real_browser_keeps_to_it(hub: RunningHub, evil_page: str, tmp_path: Path) -> None:
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
    ]
    command += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=8000", "--dump-dom", evil_page]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
    match = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    assert match is not None
    told = json.loads(match[1])
    assert told["file"] == '{"public": 1}'
    assert told["large"] == len(LARGE)
    assert told["list"].startswith("refused")
    assert told["page"].startswith("refused")
    assert requests.get(f"{hub.control}/faults", timeout=10).json() == []
    log = requests.get(f"{hub.control}/log", timeout=10).json()
    assert [line["status"] for line in log if line["path"] == "/login" and line["method"] == "POST"][
        -1
    ] == 403
