"""The endpoint that gives the links of sessions."""

import httpx
import pytest


@pytest.fixture
async def link_api(make_api):
    """The application as a client at this machine reaches it; two links for a session."""
    api = make_api(max_links_per_session=2)
    api.client.base_url = "http://127.0.0.1:8000"
    return api


@pytest.mark.parametrize("path", ["/internet/getLink", "/mcp/getLink"])
@pytest.mark.parametrize(
    ("protocol", "scheme"),
    [({}, "http"), ({"protocolType": "https"}, "http"), ({"protocolType": "WSS"}, "ws")],
)
async def test_t04_links_on_both_paths(link_api, path, protocol, scheme):
    """T4: both generations of getLink give an address of this machine, unencrypted."""
    session_id = await link_api.create()

    response = await link_api.get(path, sessionId=session_id, port="30100", **protocol)

    url = httpx.URL(response.json()["data"]["url"])
    assert (url.scheme, url.host) == (scheme, "127.0.0.1")
    assert len(url.path) > 30


async def test_one_link_for_a_port(link_api):
    """A port keeps its link; other ports and sessions have others, with secrets of their own."""
    sessions = [await link_api.create() for _ in range(2)]

    answers = [
        await link_api.get("/internet/getLink", sessionId=session_id, port=port)
        for session_id in sessions
        for port in ("80", "80", "81")
    ]

    urls = [httpx.URL(answer.json()["data"]["url"]) for answer in answers]
    assert (urls[0], urls[3]) == (urls[1], urls[4])
    assert len(set(urls)) == len({url.port for url in urls}) == len({url.path for url in urls}) == 4


async def test_t26_links_are_bounded(link_api):
    """T26: a link beyond the limit is refused with a message; those that are there stay."""
    session_id = await link_api.create()
    for port in ("1", "2"):
        await link_api.get("/internet/getLink", sessionId=session_id, port=port)

    refused = await link_api.get("/internet/getLink", sessionId=session_id, port="3")
    again = await link_api.get("/internet/getLink", sessionId=session_id, port="2")

    assert (refused.status_code, refused.json()["code"]) == (429, "TooManyLinks")
    assert "2 links" in refused.json()["message"]
    assert again.json()["success"] is True


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "port is required"),
        ({"port": ""}, "port is required"),
        ({"port": "0"}, "from 1 to 65535"),
        ({"port": "65536"}, "from 1 to 65535"),
        ({"port": "http"}, "from 1 to 65535"),
        ({"port": "80", "protocolType": "ftp"}, "protocolType"),
    ],
)
async def test_t26_links_are_refused_clearly(link_api, query, said):
    """T26: a link that can't be is refused with a message that says what to ask for."""
    session_id = await link_api.create()

    response = await link_api.get("/internet/getLink", sessionId=session_id, **query)

    assert response.status_code == 400
    assert said in response.json()["message"]


async def test_a_link_where_nobody_can_listen(make_api):
    """An address that is not of this machine gives a failure that says so."""
    api = make_api()
    api.client.base_url = "http://192.0.2.1"
    session_id = await api.create()

    response = await api.get("/internet/getLink", sessionId=session_id, port="80")

    assert (response.status_code, response.json()["code"]) == (500, "LinkFailed")
    assert "can't listen" in response.json()["message"]
