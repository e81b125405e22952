"""Who is let in, what is answered, and what a client that behaves badly costs."""

import itertools
import json
import os
import random
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.errors import UsageError
from config.loading import plan_of
from controller import api, permits, startup
from controller import messages as say
from controller.api import Server
from safety.signals import Demand, State
from tests.api.peers import Peer, Served
from tests.service.rig import LIMITS, SHORT, WALL_S, Rig, as_in_a_file


def asked(served: Served, peer: Peer, **message: Any) -> dict[str, Any]:
    peer.say(**message)
    served.pump(2)
    answers = [one for one in peer.hear() if one["it"] == "answer"]
    assert len(answers) == 1, answers
    return answers[0]


def seen(served: Served) -> int:
    return served.rig.seen


# Coming in


def test_a_client_that_greets_is_told_whom_it_reached(served: Served) -> None:
    (welcome,) = served.peer().welcome
    assert (welcome["it"], welcome["table_id"], welcome["version"]) == ("welcome", "sim", 1)


@pytest.mark.parametrize(
    "first", [b"", b"{", b'{"do":"stop","id":1,"seen":1,"because":"x"}', b'{"do":"hello"}', b"\xff\x00" * 50]
)
def test_anything_else_as_first_word_ends_the_connection(served: Served, first: bytes) -> None:
    peer = served.peer(greets=False)
    served.pump()
    peer.raw(first)
    served.pump()
    told = peer.hear()
    assert told[-1] == {"it": "end"}
    assert [one["why"] for one in told[:-1]] == ([[api.FIRST_HELLO]] if first else [])
    assert served.rig.snapshot.wish.state is State.IDLE


def test_another_version_is_told_so_and_let_go(served: Served) -> None:
    peer = served.peer(greets=False)
    peer.say(do="hello", version=2, name="of tomorrow")
    served.pump(2)
    answer, end = peer.hear()
    assert "speaks version 1, not 2" in answer["why"][0]
    assert end == {"it": "end"}


def test_who_says_nothing_is_let_go_after_two_seconds(served: Served) -> None:
    peer = served.peer(greets=False)
    served.pump(190)
    assert peer.hear() == []
    served.pump(20)
    assert peer.hear() == [{"it": "end"}]


def test_a_name_is_made_fit_for_records(served: Served) -> None:
    peer = served.peer(greets=False)
    peer.say(do="hello", version=1, name="a\x1b[31m\nvery" + "y" * 100)
    served.pump()
    served.pump()
    assert peer.hear()[0]["it"] == "welcome"
    assert asked(served, peer, do="stop", id=1, seen=0, because="x")["ok"]
    (event,) = [event for event in served.rig.events("request") if event.text.startswith("STOP")]
    assert event.by == f"a[31mvery{'y' * 29} (uid {os.geteuid()})"


# Asking


def test_each_request_has_its_answer(served: Served) -> None:
    peer = served.peer()
    messages: list[dict[str, Any]] = [
        {"do": "watch", "every_ms": 0},
        {"do": "stop", "seen": 0, "because": "a test"},
        {"do": "return", "seen": 0, "because": "a test"},
        {"do": "acknowledge", "seen": seen(served)},
        {"do": "configuration"},
        {"do": "events"},
    ]
    for number, message in enumerate(messages, 5):
        answer = asked(served, peer, **message, id=number)
        assert (answer["id"], answer["ok"]) == (number, True), message


def test_an_offer_comes_to_the_panel_and_is_taken_back(served: Served) -> None:
    permit = permits.simulated(SHORT, LIMITS.screening_version, WALL_S)
    words = {name: getattr(permit, name) for name in permit.__struct_fields__}
    peer = served.peer()
    served.pump(600)
    offer = {"do": "offer", "plan": as_in_a_file(SHORT), "permit": words}
    answer = asked(served, peer, id=1, seen=seen(served), **offer)
    assert (answer["ok"], answer["value"]["plan_hash"]) == (True, SHORT.hash), answer
    assert served.rig.offered()
    assert asked(served, peer, id=2, seen=seen(served), do="disarm", because="changed my mind")["ok"]
    assert not served.rig.offered()
    served.pump(60)
    stale = asked(served, peer, id=3, seen=seen(served) - 60, **offer)
    assert (stale["ok"], stale["codes"]) == (False, ["H35"])


def test_every_plan_that_is_told_can_be_offered_as_it_is(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    told = startup.plans_for(LIMITS)[1]
    monkeypatch.setattr(
        served.rig.service, "_served", replace(served.rig.service._served, configuration={"plans": told})
    )
    peer = served.peer()
    served.pump(600)
    plans = asked(served, peer, do="configuration", id=1)["value"]["plans"]
    assert len(plans) >= 4
    for number, known in enumerate(plans, 2):
        assert plan_of(known["plan"], known["name"]).hash == known["hash"]
        permit = {"plan_hash": known["hash"], "issuer": "simulated", "pseudonym": "x", "screening_version": 1}
        permit |= {"valid_until_s": WALL_S + 3600, "inverted_today_s": 0, "prescribed_cdeg": -6000}
        permit |= {"prescribed_hold_s": 180, "last_cdeg": -4500, "last_hold_s": 180}
        offer = {"do": "offer", "plan": known["plan"], "permit": permit}
        answer = asked(served, peer, id=number, seen=seen(served), **offer)
        assert answer["ok"], answer
        assert asked(served, peer, id=99, seen=seen(served), do="disarm", because="the next one")["ok"]


@pytest.mark.parametrize(
    "message",
    [
        {"do": "tilt", "id": 1},
        {"do": "stop", "id": 1, "seen": 1},
        {"do": "stop", "id": "1", "seen": 1, "because": "x"},
        {"do": "stop", "id": 1, "seen": 1, "because": "x", "velocity_cdeg_s": -200},
        {"do": "offer", "id": 1, "seen": 1, "plan": {}, "permit": {}},
        {"do": "watch", "id": 1, "every_ms": 1e99},
        {"do": "hello", "version": 1, "name": "again"},
        {},
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_goes_on(served: Served, message: dict[str, Any]) -> None:
    peer = served.peer()
    answer = asked(served, peer, **message)
    assert (answer["id"], answer["ok"]) == (0, False)
    assert answer["why"][0]
    assert asked(served, peer, do="configuration", id=9)["ok"]


def test_ten_packets_of_garbage_end_a_connection(served: Served) -> None:
    peer = served.peer()
    for _ in range(9):
        assert not asked(served, peer)["ok"]
    peer.raw(b"x" * (say.LONGEST_REQUEST + 1))
    served.pump()
    answer, end = peer.hear()
    assert answer["why"] == [api.TOO_LONG]
    assert end == {"it": "end"}
    assert served.server.garbage == 10


def test_no_bytes_stop_the_service(served: Served) -> None:
    chance = random.Random(7)
    whole = b'{"do":"offer","id":1,"seen":1,"plan":{"name":"x"},"permit":{"issuer":"simulated","plan_hash":"x"}}'
    before = served.rig.snapshot.number
    for turn in range(300):
        peer = served.peer()
        for _ in range(5):
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 20)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            peer.raw(bytes(data) if turn % 3 else chance.randbytes(chance.randrange(1, 2000)))
        served.pump(5)
        peer.close()
    assert served.rig.snapshot.number == before + 300 * 7
    assert served.rig.snapshot.decision.armed is None
    assert served.server.garbage > 1000


def test_deeply_nested_json_is_only_garbage(served: Served) -> None:
    peer = served.peer()
    peer.raw(b'{"do":"offer","id":1,"seen":1,"permit":1,"plan":{"a":' + b"[" * 8000 + b"]" * 8000 + b"}}")
    served.pump(2)
    assert [one["ok"] for one in peer.of("answer")] == [False]


def test_an_answer_too_long_for_a_packet_says_so(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = served.peer()
    monkeypatch.setattr(api, "LONGEST_REPLY", 100)
    answer = asked(served, peer, do="events", id=4)
    assert (answer["id"], answer["why"]) == (4, [api.TOO_MUCH])


def test_a_hundred_events_are_the_most_in_one_answer(served: Served) -> None:
    for number in range(150):
        served.rig.service.watcher.add(number, "late", "x")
    peer = served.peer()
    found = asked(served, peer, do="events", id=1, since=3, most=100_000)["value"]
    assert [event["number"] for event in found] == list(range(4, 104))


# Other users


def test_a_stranger_may_stop_and_look_and_nothing_else(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = """
import json, os, socket, sys
if os.geteuid() == 0:
    os.setuid(65534)
line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
line.connect(sys.argv[1])
for message in json.loads(sys.argv[2]):
    line.send(json.dumps(message).encode())
    print(line.recv(1 << 20).decode())
"""
    words = [
        {"do": "hello", "version": 1, "name": "stranger"},
        {"do": "disarm", "id": 1, "seen": seen(served), "because": "x"},
        {"do": "acknowledge", "id": 2, "seen": seen(served)},
        {"do": "stop", "id": 3, "seen": 0, "because": "x"},
        {"do": "events", "id": 4},
    ]
    if os.geteuid() != 0:
        # Nobody can become somebody else here: the control process is taken for another user's.
        monkeypatch.setattr(served.server, "_us", -1)
    command = [sys.executable, "-I", "-S", "-c", talk, str(served.path), json.dumps(words)]
    ran = served.while_asking(lambda: subprocess.run(command, capture_output=True, text=True, check=False))
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines()][1:]
    assert [(one["ok"], one["codes"]) for one in told] == [
        (False, ["H35"]),
        (False, ["H35"]),
        (True, []),
        (True, []),
    ]


def test_strangers_leave_room_for_whoever_works_the_table(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.server, "_us", -1)
    if os.geteuid() == 0:
        # Root is never a stranger: for this test the kernel tells of another user.
        told = api.CREDENTIALS.pack(1, 65534, 65534)
        monkeypatch.setattr(socket.socket, "getsockopt", lambda *_: told)
    strangers = [served.peer(greets=False) for _ in range(api.MOST_STRANGERS + 3)]
    served.pump(10)
    assert sum(bool(peer.hear()) for peer in strangers) == 3
    monkeypatch.undo()
    assert served.peer().welcome[0]["it"] == "welcome"


# What a client that behaves badly costs


def test_a_thousand_connections_are_refused_and_the_first_goes_on(served: Served) -> None:
    first = served.peer()
    for number in range(1000):
        served.peer(greets=False)
        if number % 4 == 3:
            served.pump()
        if number >= 200:
            # A test may have only so many files open.
            served.leave_first(but=first)
    served.pump(30)
    assert served.server.refused > 200
    assert asked(served, first, do="stop", id=1, seen=0, because="x")["ok"]


def test_more_clients_than_there_is_room_for_are_told_why(served: Served) -> None:
    peers = [served.peer() for _ in range(api.MOST_CLIENTS)]
    assert all(peer.welcome[0]["it"] == "welcome" for peer in peers)
    late = served.peer(greets=False)
    served.pump()
    assert late.hear() == [
        {"it": "answer", "id": 0, "ok": False, "why": [api.FULL], "codes": [], "value": None},
        {"it": "end"},
    ]
    peers[0].close()
    served.pump()
    assert served.peer().welcome[0]["it"] == "welcome"


def test_a_stop_is_heard_at_once_while_sixty_others_flood(served: Served) -> None:
    floods = [served.peer() for _ in range(60)]
    quiet = served.peer()
    for flood in floods:
        for number in range(20):
            flood.say(
                do="configuration" if number % 2 else "acknowledge", id=number, **({} if number % 2 else {"seen": 0})
            )
    served.pump(3)
    quiet.say(do="stop", id=1, seen=0, because="enough")
    polls = 0
    while polls < 100:
        polls += 1
        served.pump()
        if quiet.of("answer"):
            break
    # Each tick hears 16 of those who speak, in turn: 61 clients in four ticks, and one more for who comes in between.
    assert polls <= 5
    served.pump()
    assert [event.text for event in served.rig.events("request") if "enough" in event.text]
    assert any(snapshot.decision.demand >= Demand.STOP for snapshot in served.rig.records.snapshots)


def test_a_tick_hears_so_many_packets_and_answers_one_that_costs(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[say.Request] = []
    usual = served.rig.service.handle

    def handle(request: say.Request, by: str, trusted: bool) -> say.Answer:
        handled.append(request)
        return usual(request, by, trusted)

    monkeypatch.setattr(served.rig.service, "handle", handle)
    peers = [served.peer() for _ in range(40)]
    for peer in peers:
        for number in range(10):
            peer.say(do="events", id=number)
            peer.say(do="acknowledge", id=number, seen=0)
    counts = []
    while len(handled) < 40 * 20:
        before = len(handled)
        served.pump()
        new = handled[before:]
        counts.append(len(new))
        assert sum(isinstance(one, say.Events) for one in new) <= 1
    assert max(counts) <= api.PACKETS_A_TICK + 1


def test_a_tick_sends_so_many_packets_to_all_together(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = [served.peer() for _ in range(10)]
    for peer in peers:
        peer.say(do="watch", id=1, every_ms=10_000)
    served.pump(3)
    sent: list[bytes] = []
    usual = served.server._send

    def send(client: Any, data: bytes) -> bool:
        sent.append(data)
        return usual(client, data)

    monkeypatch.setattr(served.server, "_send", send)
    for number in range(100):
        served.rig.service.watcher.add(number, "late", "x")
    counts = []
    while len(sent) < 1000:
        before = len(sent)
        served.pump()
        counts.append(len(sent) - before)
    assert max(counts) <= api.SENT_A_TICK
    assert all(len(peer.of("news")) == 100 for peer in peers)


def test_of_one_client_one_request_that_costs_waits(served: Served) -> None:
    peers = [served.peer() for _ in range(5)]
    for peer in peers:
        for number in range(20):
            peer.say(do="events", id=number)
    for _ in range(50):
        served.pump()
        assert len(served.server._heavy) <= 5


# Frames and events


def test_frames_come_as_often_as_asked_for(served: Served) -> None:
    peer = served.peer()
    peer.say(do="watch", id=1, every_ms=100)
    served.pump(2)
    assert len(peer.of("frame")) == 1
    numbers = []
    for _ in range(100):
        served.pump()
        numbers += [one["snapshot"]["number"] for one in peer.of("frame")]
    assert len(numbers) == 10
    assert all(10 <= later - earlier <= 11 for earlier, later in itertools.pairwise(numbers))
    peer.say(do="watch", id=2, every_ms=0)
    served.pump(2)
    peer.hear()
    served.pump(50)
    assert peer.hear() == []


def test_a_slow_reader_loses_old_frames_and_is_then_told_the_newest(served: Served) -> None:
    peer = served.peer()
    peer.say(do="watch", id=1, every_ms=10, events=False)
    served.pump(500)
    missed = peer.of("frame")
    assert 2 <= len(missed) <= 16
    assert served.server.frames_left_out >= 480
    served.pump()
    (frame,) = peer.of("frame")
    assert frame["snapshot"]["number"] == served.rig.snapshot.number


def test_a_client_that_never_reads_holds_up_nobody_and_fills_nothing(served: Served) -> None:
    deaf, good = served.peer(), served.peer()
    deaf.say(do="watch", id=1, every_ms=10)
    good.say(do="watch", id=1, every_ms=10)
    heard, frames = 0, 0
    for turn in range(1500):
        served.rig.service.watcher.add(turn, "late", "x" * 500)
        served.pump()
        told = good.hear()
        heard += sum(one["it"] == "news" for one in told)
        frames += sum(one["it"] == "frame" for one in told)
    assert heard >= 1499
    assert frames >= 1490
    (waiting,) = [len(one.outbox) for one in served.server._clients.values() if one.outbox]
    assert waiting <= api.MOST_WAITING
    # It is heard all the same.
    deaf.say(do="stop", id=2, seen=0, because="cannot read, can stop")
    served.pump(2)
    assert any("cannot read, can stop" in event.text for event in served.rig.events("request"))


def test_a_frame_is_made_once_for_all(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = [served.peer() for _ in range(10)]
    for peer in peers:
        peer.say(do="watch", id=1, every_ms=10)
    served.pump(3)
    made: list[object] = []
    usual = served.server._encode

    def encode(one: object) -> bytes:
        made.append(one)
        return usual(one)

    monkeypatch.setattr(served.server, "_encode", encode)
    for peer in peers:
        peer.hear()
    served.pump(5)
    assert sum(isinstance(one, say.Frame) for one in made) == 5
    heard = [[one["snapshot"]["number"] for one in peer.of("frame")] for peer in peers]
    assert len(heard[0]) == 5
    assert all(numbers == heard[0] for numbers in heard)


def test_events_are_told_as_they_happen(served: Served) -> None:
    watching, other = served.peer(), served.peer()
    watching.say(do="watch", id=1, every_ms=1000)
    served.pump(2)
    watching.hear()
    other.say(do="stop", id=1, seen=0, because="now")
    served.pump(2)
    told = watching.of("news")
    assert told[0]["event"]["kind"] == "request"
    assert other.of("news") == []


# Its place


def test_a_socket_that_a_killed_process_left_is_taken_over(folder: Path) -> None:
    path = folder / "sim.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
        left.bind(str(path))
    server = Server(path, Rig().service)
    assert path.stat().st_mode & 0o777 == 0o666
    server.close()
    assert not path.exists()


def test_a_socket_at_which_somebody_listens_is_left_alone(served: Served) -> None:
    with pytest.raises(UsageError, match="somebody else listens"):
        Server(served.path, served.rig.service)
    assert served.peer().welcome


def test_a_place_where_no_socket_can_be_is_refused(folder: Path) -> None:
    (folder / "file").write_text("x")
    for path, why in [
        (folder / "file" / "a.sock", "no socket"),
        (folder / ("x" * 120), "107 bytes"),
        (folder / "file", "no socket"),
    ]:
        with pytest.raises(UsageError, match=why):
            Server(path, Rig().service)
    assert (folder / "file").read_text() == "x"


def test_closing_takes_away_only_its_own_socket(folder: Path) -> None:
    path = folder / "sim.sock"
    server = Server(path, Rig().service)
    path.unlink()
    path.write_text("somebody else's")
    server.close()
    assert path.read_text() == "somebody else's"


def test_the_end_is_told_to_all(served: Served) -> None:
    peer = served.peer()
    peer.say(do="watch", id=1)
    served.pump(2)
    served.rig.service.leave("Ctrl-C")
    served.rig.until(lambda _: served.rig.service.may_leave)
    served.rig.service.finish()
    served.server.poll()
    peer.hear()
    served.server.close()
    assert peer.hear() == [{"it": "end"}]
