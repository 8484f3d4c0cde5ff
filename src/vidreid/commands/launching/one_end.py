"""When one process of a training ends too early, all end, and one sentence says why."""

import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from torch.distributed import DistError

from vidreid.commands.launching.agreement import attempt_key, connect, failure_key, meeting_store
from vidreid.commands.launching.place import Place

_POLL = 1.0
_GRACE = 5.0  # for a process to end by itself, with its files closed
_GONE = (
    "Another process of this training is gone without a word (it was killed, or its machine is off): go on "
    "with train.py resume=RUN."
)
# How gloo and NCCL tell of a peer that is gone.
_LOST = ("closed by peer", "reset by peer", "remote process", "Broken pipe", "Connection refused")


@contextmanager
def one_end() -> Iterator[None]:
    """End this process if another one fails within the block, and let the others know if this one does.

    Of processes that fail alike on a machine one speaks; those that only lost the connection say the reason
    of the one that failed.

    Raises:
        ValueError: If another process is gone.
        SystemExit: If this process fails like another one of its machine, which says why.
    """
    place = Place.here()
    if place.processes == 1:
        yield
        return
    over = threading.Event()
    threading.Thread(target=_watch, args=(over, place), name="one-end", daemon=True).start()
    try:
        yield
    except BaseException as error:
        failed = _failure_of_another(place) if _is_lost_connection(error) else None
        if failed is not None:
            _end_with(failed, place)
        lost = _is_lost_connection(error)
        sentence = _GONE if lost else f"{type(error).__name__}: {error}"
        _tell(place, sentence)
        if not _first_to_say(place, sentence):
            sys.exit(1)
        if lost:
            raise ValueError(_GONE) from error
        raise
    finally:
        over.set()


def _watch(over: threading.Event, place: Place) -> None:
    """End this process when another one has failed: it may wait for that one for ever."""
    try:
        store = connect()
        while not over.wait(_POLL):
            if store.check([failure_key()]):
                failed = json.loads(store.get(failure_key()))
                break
        else:
            return
    except DistError:
        failed = None  # the store is gone, and with it the first machine
    if failed is not None and failed["rank"] == place.rank:
        return
    if not over.wait(_GRACE):
        if failed is not None and failed["machine"] != place.machine and _first_to_say(place, failed["says"]):
            print(f"error: {_of_another(failed)}", file=sys.stderr, flush=True)
        os._exit(1)


def _tell(place: Place, sentence: str) -> None:
    told = {"rank": place.rank, "machine": place.machine, "says": sentence}
    with suppress(DistError):  # nobody may be left to be told
        meeting_store().compare_set(failure_key(), "", json.dumps(told))


def _first_to_say(place: Place, sentence: str) -> bool:
    number = hashlib.sha256(sentence.encode()).hexdigest()
    try:
        return meeting_store().add(attempt_key(f"said_{place.machine}_{number}"), 1) == 1
    except DistError:
        return True


def _failure_of_another(place: Place) -> dict[str, Any] | None:
    """Return what another process told of its failure, which may take it a moment."""
    end = time.monotonic() + _GRACE
    try:
        store = meeting_store()
        while time.monotonic() < end:
            if store.check([failure_key()]):
                failed = json.loads(store.get(failure_key()))
                return None if failed["rank"] == place.rank else failed
            time.sleep(0.1)
    except DistError:
        pass
    return None


def _end_with(failed: dict[str, Any], place: Place) -> None:
    if failed["machine"] == place.machine or not _first_to_say(place, failed["says"]):
        sys.exit(1)
    raise ValueError(_of_another(failed))


def _of_another(failed: dict[str, Any]) -> str:
    return f"Process {failed['rank']} on machine {failed['machine']} failed: {failed['says']}"


def _is_lost_connection(error: BaseException) -> bool:
    text = str(error)
    return isinstance(error, DistError) or (
        isinstance(error, RuntimeError) and any(word in text for word in _LOST)
    )
