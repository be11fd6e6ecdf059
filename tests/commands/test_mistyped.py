"""A mistyped command, task, choice or option is answered with what was meant."""

import pytest

import minigrad as mg
from minigrad import tasks
from minigrad.commands.main import main


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("trian sentiment", "train"),
        ("train sentimant", "sentiment"),
        ("train sentiment --hiden 3", "--hidden"),
        ("train weather --epoch_s 3", "--epochs"),
        ("draw lstn", "lstm"),
        ("draw lstm --stps 3", "--steps"),
        ("draw lstm --level gates", "gate"),
        ("explore gradent", "gradient"),
        ("predict sentimnt x", "sentiment"),
    ],
)
def test_the_command_line_says_what_was_meant(line, meant, capsys):
    with pytest.raises(SystemExit) as caught:
        code = main(line.split())
        raise SystemExit(code)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f"did you mean {meant}?" in said or f"did you mean {meant!r}?" in said


def test_nothing_is_guessed_where_nothing_is_near(capsys):
    with pytest.raises(SystemExit):
        main(["draw", "lstm", "--zzzzz"])
    assert "did you mean" not in capsys.readouterr().err


def test_python_says_it_too():
    with pytest.raises(mg.errors.ArgumentError, match="did you mean 'weather'"):
        tasks.task("wether")
    with pytest.raises(mg.errors.ArgumentError, match="did you mean hidden"):
        tasks.train("weather", hiden=3)
    with pytest.raises(mg.errors.ArgumentError, match="did you mean 'gate'"):
        mg.draw(mg.tensor([1.0], requires_grad=True) * 2, level="gates")
