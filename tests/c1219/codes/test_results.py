from __future__ import annotations

from c1219.codes.results import ListNumber, ResponseSelector, ResultCode, result_text


def test_every_result_answers():
    texts = [result_text(code) for code in range(256)]
    assert len(set(texts)) == 256
    assert texts[0] == "done"
    assert texts[6] == "procedure not known; ignored"
    assert all(text.startswith("reserved") == (code > 6) for code, text in enumerate(texts))


def test_results_and_selectors_are_complete():
    assert [member.value for member in ResultCode] == list(range(7))
    assert [member.value for member in ResponseSelector] == list(range(4))


def test_lists():
    assert [member.value for member in ListNumber] == [1, 2, 3, 4, 5, 6, 7, 8, 255]
    assert ListNumber(8) is ListNumber.HISTORY_LOG
