"""What falls out of a full log, whatever order things came and went in."""

from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.esp32_fire_alarm.fleet import journal
from custom_components.esp32_fire_alarm.fleet.journal import Journal
from custom_components.esp32_fire_alarm.fleet.occurrence import (
    Occurrence,
    OccurrenceKind,
)

KEPT = 8
QUIET_KEPT = 4


def expected(log: list[Occurrence]) -> list[Occurrence]:
    """Return what should stay: the rule, said as simply as it can be."""
    over = [one for one in log if not one.is_standing]
    quiet = [one for one in over if not one.is_fire]
    crowding = quiet[: max(0, len(quiet) - QUIET_KEPT)]
    victims = [*crowding, *(one for one in over if one not in crowding)]
    gone = victims[: max(0, len(log) - KEPT)]
    return [one for one in log if one not in gone]


steps = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from(OccurrenceKind),
        st.sampled_from(("lasts", "is over", "was a test after all")),
    ),
    max_size=60,
)


@given(steps=steps, trim_every=st.integers(1, 5))
def test_troubles_go_before_fires_and_what_stands_stays(
    steps: list[tuple[int, OccurrenceKind, str]], trim_every: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "OCCURRENCES_KEPT", KEPT)
        patched.setattr(journal, "QUIET_KEPT", QUIET_KEPT)
        log = Journal()
        for place, (zone, kind, outcome) in enumerate(steps):
            one = log.standing_of(kind, zone) or log.begin(
                Occurrence(kind=kind, zone=zone, source=1, raised_at=float(place))
            )
            if outcome == "was a test after all":
                one = log.put(replace(one, test=True, ended_at=float(place)))
            elif outcome == "is over":
                one = log.put(replace(one, ended_at=float(place)))
            if place % trim_every == 0:
                should_stay = expected(list(log))
                log.trim()
                assert list(log) == should_stay
