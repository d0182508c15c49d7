from c1222.protocol.responder.answer_memory import AnswerMemory, Asker

A, B, C = (Asker("somewhere", title) for title in (b"a", b"b", b"c"))


def memory(**changes: int) -> AnswerMemory:
    return AnswerMemory(**{"window": 100, "max_answers": 4, "max_octets": 100, **changes})


def test_answers_are_found_by_sender_and_id_until_their_time() -> None:
    answers = memory()
    answers.add(A, 1, b"question", (b"answer", b"more"), 0.0, keep=False)
    answers.add(B, 1, b"other", (), 10.0, keep=True)
    assert answers.find(A, 1, 99.9) == (b"question", (b"answer", b"more"))
    assert answers.find(B, 1, 109.9) == (b"other", ())
    assert answers.find(A, 2, 1.0) is None
    assert answers.find(A, 1, 100.0) is None
    assert answers.find(B, 1, 110.0) is None
    answers.add(C, 1, b"x", (), 200.0, keep=False)
    assert len(answers) == 1
    assert answers.evicted == 0


def test_loose_ones_make_room_oldest_first_and_kept_ones_do_not() -> None:
    answers = memory()
    answers.add(A, 1, b"q", (b"a",), 0.0, keep=True)
    for number in range(10):
        answers.add(B, number, b"q", (b"a",), 1.0, keep=False)
    assert len(answers) == 4
    assert answers.find(A, 1, 2.0) is not None
    assert [number for number in range(10) if answers.find(B, number, 2.0)] == [7, 8, 9]
    assert answers.evicted == 7


def test_octets_are_bounded_too() -> None:
    answers = memory(max_answers=100)
    for number in range(10):
        answers.add(B, number, bytes(20), (bytes(10),), 0.0, keep=False)
    assert len(answers) == 3
    assert answers.has_room(0.0)
    for number in range(4):
        answers.add(A, number, bytes(20), (bytes(10),), 0.0, keep=True)
    assert not answers.has_room(0.0)
    assert answers.has_room(100.0)
    assert len(answers) == 0


def test_room_for_what_must_be_kept() -> None:
    answers = memory()
    for number in range(4):
        assert answers.has_room(0.0)
        answers.add(A, number, b"", (), 0.0, keep=True)
    assert not answers.has_room(0.0)


def test_a_new_answer_takes_the_place_of_the_old_and_its_octets() -> None:
    answers = memory(max_octets=60)
    for _ in range(10):
        answers.add(A, 1, bytes(25), (bytes(25),), 0.0, keep=True)
        answers.add(A, 1, bytes(25), (bytes(25),), 0.0, keep=False)
    assert len(answers) == 1
    assert answers.has_room(0.0)


def test_all_of_one_sender_can_be_forgotten() -> None:
    answers = memory()
    answers.add(A, 1, b"", (), 0.0, keep=True)
    answers.add(A, 2, b"", (), 0.0, keep=False)
    answers.add(B, 1, b"", (), 0.0, keep=False)
    answers.forget(A)
    assert len(answers) == 1
    assert answers.find(B, 1, 1.0)


def test_who_asks_from_elsewhere_is_another_and_a_source_can_be_forgotten() -> None:
    answers = memory()
    elsewhere = A._replace(source="elsewhere")
    answers.add(A, 1, b"", (b"1",), 0.0, keep=True)
    answers.add(elsewhere, 1, b"", (b"2",), 0.0, keep=False)
    answers.add(B, 1, b"", (b"3",), 0.0, keep=False)
    assert [answers.find(asker, 1, 1.0) for asker in (A, elsewhere)] == [(b"", (b"1",)), (b"", (b"2",))]
    answers.forget_source("somewhere")
    assert [answers.find(asker, 1, 1.0) for asker in (A, elsewhere, B)] == [None, (b"", (b"2",)), None]
