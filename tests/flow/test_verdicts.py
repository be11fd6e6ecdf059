"""Planted faults are named, and healthy networks are left alone."""

from collections import Counter

import pytest
from faulty_networks import FAULTS
from healthy_networks import HEALTHY

from minigrad.flow.findings import CODES, SEVERITIES


@pytest.mark.parametrize(
    ("code", "name", "make"),
    FAULTS,
    ids=[f"{code}: {make.__name__}, {name}" for code, name, make in FAULTS],
)
def test_a_planted_fault_is_named(code, name, make):
    findings = make(name)
    named = [found for found in findings if found.code == code]
    assert named, [f"{found.code}: {found}" for found in findings]
    for found in findings:
        assert found.severity in SEVERITIES and found.text and found.remedy
        assert found.lesson == CODES[found.code][1]
    assert named[0].severity != "note" and named[0].evidence


@pytest.mark.parametrize(
    ("name", "make"),
    HEALTHY,
    ids=[f"{make.__name__}, {name}" for name, make in HEALTHY],
)
def test_a_healthy_network_is_left_alone(name, make):
    assert [f"{f.code}: {f}" for f in make(name) if f.severity != "note"] == []


def test_there_are_two_faults_for_every_code_and_enough_of_all():
    counts = Counter(code for code, _, _ in FAULTS)
    others = {"no-loop", "carried-state"}  # tested with the monitor
    assert set(counts) == set(CODES) - others and min(counts.values()) >= 2
    assert len(FAULTS) >= 40
