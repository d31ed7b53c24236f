"""A slowdown turns the budgets red, each its own row and by a program that
updates all the same; the sound program keeps them all."""

import pytest

import measure
import mutants

PARTS = {"host: instructions for a byte / floor": measure.instructions}


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda m: m[0])
def test_a_slowdown_is_noticed(mutant, tmp_path):
    name, *_, row = mutant
    program = measure.BUILD / "test-bin" / f"porta-slow-{name}"
    lab = measure.open_lab(tmp_path, program)
    found, missing = measure.all_rows(
        lab, [PARTS.get(row, measure.operations)])
    if row not in found:
        pytest.skip("; ".join(missing))
    over = measure.above(found)
    assert any(line.startswith(row) for line in over), found
