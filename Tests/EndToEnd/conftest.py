"""Fixtures of the end-to-end suite: the server, the link, the browsers, and a folder for what they leave behind."""

import pathlib
import re
import sys

import pytest
import pytest_asyncio

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import gateway as gateway_module  # noqa: E402
import network  # noqa: E402
from chromium import Chromium  # noqa: E402
from gateway import Gateway  # noqa: E402

ARTIFACTS = pathlib.Path(__file__).parent / "artifacts"


def pytest_configure(config):
    if not gateway_module.BINARY.exists():
        pytest.exit(f"no server at {gateway_module.BINARY}: run 'make test', or 'make build' first", returncode=2)


@pytest.fixture
def artifacts(request):
    """A folder for logs and pictures of this test; git ignores it."""
    folder = ARTIFACTS / re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest_asyncio.fixture
async def start_gateway(artifacts):
    """Starts servers with given options; each is stopped, and checked for having lived well, at the end."""
    started = []

    async def start(*options, **settings):
        gateway = Gateway(artifacts, *options, **settings)
        started.append(gateway)
        return await gateway.start()

    yield start
    failures = []
    for gateway in started:
        try:
            await gateway.stop()
        except AssertionError as failure:
            failures.append(str(failure))
        finally:
            await gateway.kill()
    assert not failures, "\n".join(failures)


@pytest_asyncio.fixture
async def gateway(start_gateway):
    """A server on loopback with two shards."""
    return await start_gateway()


@pytest_asyncio.fixture
async def chromium(artifacts):
    async with Chromium(artifacts) as browser:
        yield browser


@pytest.fixture
def link(artifacts):
    reason = network.unavailable()
    if reason:
        pytest.skip(reason)
    with network.Link(artifacts) as link:
        yield link
