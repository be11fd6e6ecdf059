"""What every test can rely on: a seeded generator, a browser, no silent skips."""

import os
import shutil
import signal
import sys
import zlib
from collections import Counter

import hypothesis
import numpy as np
import pytest

# Set by .ci/run: "1" where every optional tool is installed, "bare" where there is
# nothing but Python and what pip installs for the tests.
CI = os.environ.get("MINIGRAD_CI", "")
NOT_ON_A_BARE_MACHINE = {
    "needs a browser: Chromium, Chrome or Edge",
    "needs dot",
    "needs dot and pygraphviz",
    "needs SciPy",
    "needs autograd",
    "needs git",
    "needs g2p_en",
    "needs h5py",
    "needs jax",
    "needs keras",
    "needs micrograd",
    "needs onnx",
    "needs onnxruntime",
    "needs silero-vad",
    "needs textgenrnn",
    "needs torch",
}

os.environ.setdefault("MPLBACKEND", "agg")  # no test opens a window

# A shell that starts something in the background has it ignore Ctrl-C, and all that it
# starts in turn; some tests press it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Kernels compile within the first example, so no example has a deadline; in CI
# the examples are the same every time.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if CI else "here")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET_BROWSER = [
    "--no-sandbox",  # root, as in a container, may not start it otherwise
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a page of ours needs no network
]


# A tool that is missing where it should be is a fault of the set-up, and its tests
# must not pass by being skipped. The reason of a skip starts with "needs" and names the
# tool; or, if it does not depend on tools, with "only", as in "only on Windows".


def _reason(report):
    """Why it was skipped, as given to pytest.skip."""
    return report.longrepr[2].removeprefix("Skipped: ")


def _forbid_skip(report):
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        allowed = CI == "bare" and reason in NOT_ON_A_BARE_MACHINE
        if not allowed and not reason.startswith("only "):
            report.outcome = "failed"
            report.longrepr = f"skipped, though it is installed here: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _forbid_skip((yield))


def pytest_terminal_summary(terminalreporter):
    """Says what was not tested here, counted by the tool that is missing."""
    counts = Counter(map(_reason, terminalreporter.stats.get("skipped", [])))
    if counts:
        terminalreporter.section(f"{counts.total()} skipped, by reason", "-")
    for reason, count in counts.most_common():
        terminalreporter.line(f"{count:>5}  {reason}")


FIGURES = pytest.StashKey()


def pytest_addoption(parser):
    parser.addoption(
        "--figures",
        metavar="FILE",
        help="write what was tried, how many cases and the worst value, as JSON",
    )


def pytest_configure(config):
    config.stash[FIGURES] = []


@pytest.fixture
def proof(request):
    """Rows of figures, which must be kept: see proof_rows.py."""
    import proof_rows

    proofs = proof_rows.Proofs(request.node.nodeid)
    yield proofs
    request.config.stash[FIGURES].extend(proofs.rows())
    proofs.check()


SKIPS = 10  # where every tool is installed: more, and something is not tested
WITHOUT_KERNELS = os.environ.get("MINIGRAD_KERNELS") == "off"  # their tests are skipped


def pytest_sessionfinish(session):
    """Too many skips are a failure; with --figures: the rows of this run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if CI == "1" and not WITHOUT_KERNELS and len(skipped) > SKIPS:
        reporter.section(f"{len(skipped)} skipped: at most {SKIPS} may be")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    path = session.config.getoption("--figures")
    if path and session.config.stash[FIGURES]:
        import proof_rows

        proof_rows.write(path, session.config.stash[FIGURES])


@pytest.fixture
def rng(request):
    """A generator seeded by the test's own name: always the same, nowhere shared."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(autouse=True)
def same_draws_in_any_order(request):
    """What a library draws from its own generator is the same, whatever ran before."""
    seed = zlib.crc32(request.node.nodeid.encode())
    if "minigrad" in sys.modules:
        sys.modules["minigrad"].manual_seed(seed)
    if generator := getattr(sys.modules.get("torch"), "default_generator", None):
        generator.manual_seed(seed)  # torch.manual_seed takes 300 us


def pytest_collection_modifyitems(config, items):
    """Lessons are left out where the site runs them anyway, or kernels are off."""
    elsewhere = os.environ.get("MINIGRAD_LESSONS") == "site"
    if elsewhere or os.environ.get("MINIGRAD_KERNELS") == "off":
        lessons = [item for item in items if "runs_lessons" in item.keywords]
        config.hook.pytest_deselected(items=lessons)
        items[:] = [item for item in items if item not in lessons]
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser():
    """A headless browser of the machine's own; most tests want `page`."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    ways = [{"executable_path": found}] if found else []
    ways += [{"channel": "chrome"}, {"channel": "msedge"}]  # not on PATH elsewhere
    with api.sync_playwright() as driver:
        for way in ways:
            try:
                browser = driver.chromium.launch(args=QUIET_BROWSER, **way)
            except api.Error:
                continue
            yield browser
            browser.close()
            return
        pytest.skip("needs a browser: Chromium, Chrome or Edge")


@pytest.fixture
def page(browser):
    """A page that fails the test if it asks the network, or a script of it fails."""
    page = browser.new_page()
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    yield page
    page.close()
    assert faults == []
    local = ("file:", "data:", "about:", "blob:")
    assert [url for url in asked if not url.startswith(local)] == []
