"""The shared fixtures: the same numbers every time, no network, no silent skips."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester, monkeypatch):
    """A suite of its own that uses our conftest, as if run in CI."""
    monkeypatch.setenv("MINIGRAD_CI", "1")
    text = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(text)
    return pytester


@pytest.mark.parametrize("turn", [1, 2])
def test_rng_is_fixed_but_not_shared(rng, turn):
    first = {1: 0.00881648404841251, 2: 0.7945705645433336}
    assert rng.random() == first[turn]


def test_a_missing_tool_fails_where_all_are_installed(suite):
    suite.makepyfile(
        test_module="import pytest; pytest.importorskip('no_such_tool')",
        test_others="""
            import pytest

            def test_skips():
                pytest.skip("needs a tool")

            def test_does_not_apply():
                pytest.skip("only on another system")

            @pytest.mark.xfail(raises=ZeroDivisionError)
            def test_known():
                1 / 0
        """,
    )
    result = suite.runpytest_subprocess("--continue-on-collection-errors")
    result.assert_outcomes(failed=1, errors=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["*it is installed here: needs a tool*"])


def test_elsewhere_a_missing_tool_only_skips(suite, monkeypatch):
    monkeypatch.delenv("MINIGRAD_CI")
    suite.makepyfile("import pytest; pytest.importorskip('no_such_tool')")
    suite.runpytest_subprocess().assert_outcomes(skipped=1)


def test_a_bare_machine_may_lack_programs_but_not_what_pip_installs(suite, monkeypatch):
    monkeypatch.setenv("MINIGRAD_CI", "bare")
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("tool", ["dot", "git", "torch", "dot or pygraphviz"])
        def test(tool):
            pytest.skip(f"needs {tool}")
        """
    )
    result = suite.runpytest_subprocess()
    result.assert_outcomes(skipped=3, failed=1)
    result.stdout.fnmatch_lines(["*it is installed here: needs dot or pygraphviz*"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_skips_are_counted_by_reason(suite, monkeypatch, workers):
    monkeypatch.delenv("MINIGRAD_CI")
    suite.makepyfile(
        test_module="import pytest; pytest.skip('needs b', allow_module_level=True)",
        test_others="""
            import pytest

            @pytest.mark.parametrize("reason", ["needs a", "needs b", "needs b"])
            def test(reason):
                pytest.skip(reason)

            @pytest.mark.xfail(reason="needs c")
            def test_known():
                1 / 0
        """,
    )
    result = suite.runpytest_subprocess(*workers)
    result.assert_outcomes(skipped=4, xfailed=1)
    lines = ["*-- 4 skipped, by reason --*", "    3  needs b", "    1  needs a"]
    result.stdout.fnmatch_lines(lines, consecutive=True)


def test_page_runs_scripts_from_a_file(page, tmp_path):
    file = tmp_path / "a page.html"
    script = "<script>document.title = [1, 2].map(x => 2 * x)</script>"
    file.write_text(script, encoding="utf-8")
    page.goto(file.as_uri())
    assert page.title() == "2,4"


@pytest.mark.slow
@pytest.mark.parametrize(
    "body", ["<img src='http://localhost:9/x.png'>", "<script>nosuch()</script>"]
)
def test_page_notices_faults(suite, browser, body):
    suite.makepyfile(f"def test(page): page.set_content({body!r})")
    suite.runpytest_subprocess().assert_outcomes(passed=1, errors=1)
