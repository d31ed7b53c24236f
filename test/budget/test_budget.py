"""An update costs no more than test/budgets.csv allows: counts and
instructions, which a busy machine does not change."""

import pytest

import measure


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    found, missing = measure.all_rows(
        measure.open_lab(tmp_path_factory.mktemp("budget")))
    (measure.BUILD / "budgets-host.txt").write_text(measure.table(found))
    return found, missing


def test_no_figure_is_above_its_limit(rows):
    found, _ = rows
    over = measure.above(found)
    assert not over, "\n".join(over)


def test_no_budget_is_forgotten(rows):
    """Each row is measured here, or it is said what is missing for it."""
    found, missing = rows
    unknown = {name for name in measure.limits()
               if name.startswith("host: ")} - set(found)
    if unknown and missing:
        pytest.skip("; ".join(missing))
    assert not unknown


def test_each_has_a_reason():
    for name, row in measure.limits().items():
        if name.startswith("host: "):
            assert row["why"] and float(row["limit"]) <= float(row["at_most"])
