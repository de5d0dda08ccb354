"""The outbox: a letter is in it whole or not at all, goes out once, and is never forgotten."""

import os
import shutil
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sspr_audit.deliver import outbox
from sspr_audit.deliver.errors import InDoubt, NotAllowed, NotTaken
from sspr_audit.deliver.outbox import MAIL, Outbox, State
from sspr_audit.errors import LocalTrouble
from sspr_audit.model import Envelope, Window

START = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = timedelta(days=7)
ABOUT = Envelope(
    "reports@example.com", ("a@example.com", "B@example.com"), Window(START, START + WEEK)
)
NO_WAIT = timedelta()
ID = "<1@example.com>"


@pytest.fixture
def box(tmp_path):
    return Outbox(tmp_path / "outbox")


def added(box, about=ABOUT, mail=b"mail"):
    with box.held(NO_WAIT):
        return box.add(about, ID, mail)


def taken(_mail, _about, commit):
    commit()
    return ()


def failing(error, *, committed=False):
    def way(_mail, _about, commit):
        if committed:
            commit()
        raise error

    return way


def test_a_letter_is_found_by_its_recipients_and_its_window(box):
    """In whatever order and letters the recipients are written; another week is another letter."""
    entry = added(box)
    later = replace(ABOUT, window=Window(START + WEEK, START + 2 * WEEK))

    assert box.find(replace(ABOUT, to=("b@example.com", "A@example.com"))) == entry
    assert box.find(replace(ABOUT, sender="other@example.com")) == entry
    assert box.find(replace(ABOUT, to=("a@example.com",))) is None
    assert box.find(later) is None
    assert (entry.envelope, entry.message_id, entry.mail) == (ABOUT, ID, b"mail")


def test_a_letter_that_is_in_stays_as_it_is(box):
    """A second composition of the same week changes nothing, not even the Message-ID."""
    first = added(box)
    with box.held(NO_WAIT):
        again = box.add(ABOUT, "<2@example.com>", b"other")

    assert again == first
    assert (again.mail, len(box.entries())) == (b"mail", 1)


def test_a_letter_that_was_taken_is_sent_and_its_text_is_gone(box):
    """What it says is in mailboxes now, and lies here no longer."""
    entry = added(box)

    assert outbox.post(entry, taken) == ()
    assert entry.state is State.SENT
    assert not (entry.folder / MAIL).exists()


@pytest.mark.parametrize("error", [NotTaken("451 later"), NotAllowed("535 no")])
@pytest.mark.parametrize("committed", [False, True])
def test_a_refused_letter_waits_with_its_reason(error, committed, box):
    """Before the dot or after it: the other side has said that it has nothing."""
    entry = added(box)
    with pytest.raises(type(error)):
        outbox.post(entry, failing(error, committed=committed))

    assert (entry.state, entry.why) == (State.REFUSED, str(error))
    assert outbox.post(entry, taken) == ()
    assert entry.state is State.SENT


def test_a_letter_in_doubt_stays_in_doubt(box):
    """With the mail, so that a person can send it again."""
    entry = added(box)
    with pytest.raises(InDoubt):
        outbox.post(entry, failing(InDoubt("cut"), committed=True))

    assert (entry.state, entry.why, entry.mail) == (State.UNCONFIRMED, "cut", b"mail")


@pytest.mark.parametrize(("committed", "state"), [(False, State.READY), (True, State.UNCONFIRMED)])
def test_a_run_that_ended_in_the_middle_is_put_right_by_the_next(committed, state, box):
    """Before it could be taken, it was not; after that, nobody can tell."""
    entry = added(box)
    with pytest.raises(KeyboardInterrupt):
        outbox.post(entry, failing(KeyboardInterrupt(), committed=committed))
    with box.held(NO_WAIT):
        pass

    assert entry.state is state
    assert entry.why == (outbox.KILLED if committed else "")


def test_what_was_never_whole_is_swept_away(box):
    """A run that was killed while it composed leaves no letter."""
    box.folder.mkdir()
    half = box.folder / ".new-123"
    half.mkdir()
    (half / MAIL).write_bytes(b"ha")

    assert box.entries() == []
    with box.held(NO_WAIT):
        pass
    assert not half.exists()


def test_two_runs_do_not_send_at_once(box):
    """The second says so, or waits until the first has ended."""
    entry = added(box)
    begun, go_on = threading.Event(), threading.Event()

    def slow(_mail, _about, commit):
        commit()
        begun.set()
        assert go_on.wait(10)
        return ()

    def first():
        with box.held(NO_WAIT):
            outbox.post(entry, slow)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(10)
    with pytest.raises(LocalTrouble, match="another run"), box.held(NO_WAIT):
        pass
    assert entry.state is State.SENDING
    go_on.set()
    with box.held(timedelta(seconds=10)):
        assert entry.state is State.SENT
    thread.join()


def test_even_without_its_lock_nothing_goes_out_twice(box):
    """Of two that would send, only one can take the letter from where it stands."""
    entry = added(box)

    def overtaken(_mail, _about, commit):
        entry.move(State.READY, State.SENDING)  # by another process, in between
        commit()
        pytest.fail("it went out a second time")

    with pytest.raises(LocalTrouble):
        outbox.post(entry, overtaken)
    assert entry.state is State.SENDING


@pytest.mark.skipif(os.name != "posix", reason="this system has no file modes")
def test_only_its_owner_can_read_it(box):
    """It tells where an organisation has trouble."""
    entry = added(box)
    folders = [box.folder, entry.folder]

    assert {stat.S_IMODE(one.stat().st_mode) for one in folders} == {0o700}
    assert {stat.S_IMODE(one.stat().st_mode) for one in entry.folder.iterdir()} == {0o600}


@pytest.mark.parametrize("spoil", ["card", "state"])
def test_a_letter_that_somebody_spoiled_is_named(spoil, box):
    """Nobody guesses what became of it."""
    entry = added(box)
    (entry.folder / ("card.json" if spoil == "card" else "ready")).unlink()

    with pytest.raises(LocalTrouble, match=entry.folder.name), box.held(NO_WAIT):
        pass


def test_what_others_left_there_is_no_letter(box):
    """A copy of a folder does not go out beside it, and a desktop's file stops nothing."""
    entry = added(box)
    shutil.copytree(entry.folder, box.folder / f"{entry.folder.name} (copy)")
    (box.folder / "Thumbs.db").write_bytes(b"")
    (box.folder / "lost+found").mkdir()

    with box.held(NO_WAIT):
        assert [one.folder for one in box.entries()] == [entry.folder]
    assert (box.folder / "lost+found").exists()


def test_an_outbox_that_cannot_be_written_is_named(tmp_path):
    """By its path, and with what to do."""
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(LocalTrouble, match="choose another"),
        Outbox(tmp_path / "file" / "outbox").held(NO_WAIT),
    ):
        pass
