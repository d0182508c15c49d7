from c1222.protocol.ledger import AnswerMemory


def memory(**changes: int) -> AnswerMemory:
    return AnswerMemory(**{"window": 100, "max_answers": 4, "max_octets": 100, **changes})


def test_answers_are_found_by_sender_and_id_until_their_time() -> None:
    answers = memory()
    answers.add("a", 1, b"question", (b"answer", b"more"), 0.0, keep=False)
    answers.add("b", 1, b"other", (), 10.0, keep=True)
    assert answers.find("a", 1, 99.9) == (b"question", (b"answer", b"more"))
    assert answers.find("b", 1, 109.9) == (b"other", ())
    assert answers.find("a", 2, 1.0) is None
    assert answers.find("a", 1, 100.0) is None
    assert answers.find("b", 1, 110.0) is None
    answers.add("c", 1, b"x", (), 200.0, keep=False)
    assert len(answers) == 1
    assert answers.evicted == 0


def test_loose_ones_make_room_oldest_first_and_kept_ones_do_not() -> None:
    answers = memory()
    answers.add("kept", 1, b"q", (b"a",), 0.0, keep=True)
    for number in range(10):
        answers.add("loose", number, b"q", (b"a",), 1.0, keep=False)
    assert len(answers) == 4
    assert answers.find("kept", 1, 2.0) is not None
    assert [number for number in range(10) if answers.find("loose", number, 2.0)] == [7, 8, 9]
    assert answers.evicted == 7


def test_octets_are_bounded_too() -> None:
    answers = memory(max_answers=100)
    for number in range(10):
        answers.add("loose", number, bytes(20), (bytes(10),), 0.0, keep=False)
    assert len(answers) == 3
    assert answers.has_room(0.0)
    for number in range(4):
        answers.add("kept", number, bytes(20), (bytes(10),), 0.0, keep=True)
    assert not answers.has_room(0.0)
    assert answers.has_room(100.0)
    assert len(answers) == 0


def test_room_for_what_must_be_kept() -> None:
    answers = memory()
    for number in range(4):
        assert answers.has_room(0.0)
        answers.add("kept", number, b"", (), 0.0, keep=True)
    assert not answers.has_room(0.0)


def test_a_new_answer_takes_the_place_of_the_old_and_its_octets() -> None:
    answers = memory(max_octets=60)
    for _ in range(10):
        answers.add("a", 1, bytes(25), (bytes(25),), 0.0, keep=True)
        answers.add("a", 1, bytes(25), (bytes(25),), 0.0, keep=False)
    assert len(answers) == 1
    assert answers.has_room(0.0)


def test_all_of_one_sender_can_be_forgotten() -> None:
    answers = memory()
    answers.add("a", 1, b"", (), 0.0, keep=True)
    answers.add("a", 2, b"", (), 0.0, keep=False)
    answers.add("b", 1, b"", (), 0.0, keep=False)
    answers.forget("a")
    assert len(answers) == 1
    assert answers.find("b", 1, 1.0)
