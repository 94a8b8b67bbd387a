"""Fixtures of the end-to-end suite: the server, the link, the browsers, and a folder for what they leave behind."""

import asyncio
import functools
import inspect
import os
import pathlib
import re
import sys

import pytest
import pytest_asyncio
from aiortc.rtcicetransport import RTCIceGatherer

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import gateway as gateway_module  # noqa: E402
import network  # noqa: E402
from chromium import Chromium  # noqa: E402
from gateway import Gateway  # noqa: E402
from machine import Machine  # noqa: E402

# By itself each of aiortc's connections asks a STUN server of the internet, and waits 5 s for an answer.
RTCIceGatherer.getDefaultIceServers = classmethod(lambda _: [])

ARTIFACTS = pathlib.Path(__file__).parent / "artifacts"


# Tests with one of these make network namespaces, which takes root.
NAMESPACE_FIXTURES = {"link", "ethernet"}


def pytest_configure(config):
    config.addinivalue_line("markers", "namespaces: needs network namespaces, and so root (set by its fixtures)")
    if not os.access(gateway_module.BINARY, os.X_OK):
        pytest.exit(f"no server at {gateway_module.BINARY}: run 'make test', or 'make build' first", returncode=2)


def limit_of(item, config):
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else float(config.getini("timeout"))


def limited(test, seconds):
    """A test that takes too long fails, alone: where pytest-timeout's thread has to end it, it ends the whole run."""
    @functools.wraps(test)
    async def within(*arguments, **fixtures):
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await test(*arguments, **fixtures)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise AssertionError(f"the test did not end within {seconds:.0f} s") from error
    return within


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Marks tests that need namespaces. ROUNDHOUSE_NAMESPACES=only|without chooses some: .ci/test runs each as whom it
    needs."""
    wanted = os.environ.get("ROUNDHOUSE_NAMESPACES", "")
    chosen, left_out = [], []
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.obj = limited(item.obj, limit_of(item, config) - 30)
        needs_namespaces = not NAMESPACE_FIXTURES.isdisjoint(item.fixturenames)
        if needs_namespaces:
            item.add_marker("namespaces")
        is_chosen = wanted not in ("only", "without") or needs_namespaces == (wanted == "only")
        (chosen if is_chosen else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


MACHINE = pytest.StashKey[Machine]()


def pytest_runtest_setup(item):
    item.stash[MACHINE] = Machine()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    """A failure says how busy the machine was."""
    if call.excinfo and not call.excinfo.errisinstance(pytest.skip.Exception) and MACHINE in item.stash:
        call.excinfo.value.add_note(str(item.stash[MACHINE]))


@pytest.fixture
def artifacts(request):
    """A folder for logs and pictures of this test; git ignores it."""
    folder = ARTIFACTS / re.sub(r"[^A-Za-z0-9_.-]+", "_", request.node.name)
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    (folder / "machine.txt").write_text(f"{request.node.stash[MACHINE]}\n")


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


def joined(kind, artifacts):
    reason = network.unavailable(kind)
    if reason:
        pytest.skip(reason)
    with kind(artifacts) as namespaces:
        yield namespaces


@pytest.fixture
def link(artifacts):
    """Two namespaces joined by an emulated link."""
    yield from joined(network.Link, artifacts)


@pytest.fixture
def ethernet(artifacts):
    """Two namespaces joined by a cable whose MTU is 1,500 bytes."""
    yield from joined(network.Ethernet, artifacts)
