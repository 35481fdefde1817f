"""The simulation of a campaign."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.capacity import Campaign, Costs, evening, minutes

COSTS = Costs(activation=0.1, letter=0.002, statements=20, memory=200, letters_per_second=500)


@pytest.mark.parametrize(
    "campaign", [Campaign(), Campaign(people=100_000, days=3, peak=2.0)], ids=["six million", "small"]
)
def test_everybody_comes_once_and_the_fullest_hour_is_the_peak(campaign: Campaign) -> None:
    days = list(minutes(campaign))

    assert sum(map(sum, days)) == pytest.approx(campaign.people)
    mean_hour = campaign.people / (campaign.days * 24)
    fullest = max(sum(days[-1][hour * 60 : hour * 60 + 60]) for hour in range(24))
    assert fullest == pytest.approx(campaign.peak * mean_hour)


def test_a_peak_that_leaves_nobody_for_the_other_days_is_refused() -> None:
    with pytest.raises(SystemExit):
        list(minutes(Campaign(days=2, peak=100.0)))


def test_more_nodes_never_serve_fewer_and_enough_of_them_serve_everybody() -> None:
    found = [evening(Campaign(), COSTS, nodes) for nodes in range(1, 6)]

    assert found[0].left_at_midnight > 0
    for fewer, more in pairwise(found):
        assert more.refused <= fewer.refused
        assert more.longest_wait <= fewer.longest_wait
        assert more.left_at_midnight <= fewer.left_at_midnight
    assert (found[-1].refused, found[-1].longest_wait, found[-1].left_at_midnight) == (0, 0, 0)


def test_a_dearer_activation_needs_more() -> None:
    cheap = evening(Campaign(), COSTS, 2)
    dear = evening(Campaign(), replace(COSTS, activation=0.3), 2)

    assert dear.left_at_midnight > cheap.left_at_midnight
