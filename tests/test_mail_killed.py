"""Mail runs that are killed: no period is lost, and none has two mails."""

import random

import mail_killed
import pytest


@pytest.mark.timeout(300)
def test_killed_runs_lose_and_double_nothing(tmp_path):
    """SIGKILL at random steps, cut connections, two at once; `benchmarks/mail.py` does 50."""
    count = mail_killed.killed(tmp_path, 8, dice=random.Random(3))  # noqa: S311 - repeatable

    assert count.struck > 0
    assert (count.lost, count.doubled) == ([], [])
