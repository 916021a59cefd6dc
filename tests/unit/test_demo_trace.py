"""Traces are read as documented, and every mistake in one is told with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.trace import Series, TraceError, Usage, parse_trace, read_trace

HEADER = "hour,application,model,requests,input_tokens,output_tokens"


def only(lines: list[str]) -> Series:
    [series] = parse_trace(lines).series
    return series


def test_a_row_is_one_hour_of_one_application_and_model() -> None:
    series = only([HEADER, "5,chat,gpt-4o,10,1000,200"])
    assert (series.application, series.model) == ("chat", "gpt-4o")
    assert series.hours == {5: Usage(10, 1000, 0, 200)}


def test_input_tokens_include_the_cached_ones() -> None:
    usage = only([f"{HEADER},cached_input_tokens", "5,chat,gpt-4o,10,1000,200,300"]).hours[5]
    assert (usage.uncached, usage.cached, usage.input) == (700, 300, 1000)


def test_columns_stand_in_any_order_and_unknown_ones_are_ignored() -> None:
    lines = ["note,output_tokens,model,Hour, application ,input_tokens,requests", "hi,200,gpt-4o,5,chat,1000,10"]
    assert only(lines).hours == {5: Usage(10, 1000, 0, 200)}


def test_rows_that_repeat_an_hour_are_added_up() -> None:
    lines = [HEADER, "5,chat,gpt-4o,10,1000,200", "6,chat,gpt-4o,1,1,1", "5,chat,gpt-4o,1,10,2"]
    assert only(lines).hours == {5: Usage(11, 1010, 0, 202), 6: Usage(1, 1, 0, 1)}


def test_an_empty_cached_cell_means_the_source_does_not_say() -> None:
    lines = [f"{HEADER},cached_input_tokens", "5,chat,a,1,10,2,", "5,chat,b,1,10,2,0"]
    assert [series.tells_cached for series in parse_trace(lines).series] == [False, True]


def test_a_byte_order_mark_blank_lines_quotes_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(f'\ufeff{HEADER}\r\n\r\n0,"검색, 도우미",gpt-4o,1,10,2\r\n'.encode())
    assert read_trace(path).applications == ("검색, 도우미",)


@pytest.mark.parametrize("name", ["👩\u200d💻 팀", "\U0001fae8", "検索\u3000補助", "a\u00a0b", "می\u200cخواهم"])
def test_a_name_holds_whatever_people_see(name: str) -> None:
    """Emoji held together by joiners or newer than this Python, and wide or unbreakable blanks, were refused."""
    assert only([HEADER, f"0,{name},gpt-4o,1,10,2"]).application == name


def test_whole_numbers_of_a_table_that_knows_fractions_are_whole() -> None:
    """Where a cell of a column is empty, pandas writes the others as 300.0."""
    lines = [f"{HEADER},cached_input_tokens", "0.0,chat,a,1.0,1000,200,300.0", "0,chat,b,1,10,2,"]
    assert parse_trace(lines).series[0].hours == {0: Usage(1, 700, 300, 200)}


def test_a_gzipped_trace_reads_like_a_plain_one_whatever_its_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.csv", tmp_path / "b.data"
    text = f"{HEADER}\n0,chat,gpt-4o,1,10,2\n"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_trace(plain) == read_trace(packed)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("x,chat,m,1,1,1,0", "line 3: hour must be a whole number of at most 18 digits, not 'x'."),
        ("-1,chat,m,1,1,1,0", "line 3: hour must be a whole number of at most 18 digits, not '-1'."),
        ("1,chat,m,1.5,1,1,0", "line 3: requests must be a whole number of at most 18 digits, not '1.5'."),
        ("1,chat,m,1,1_0,1,0", "line 3: input_tokens must be a whole number of at most 18 digits, not '1_0'."),
        ("1,chat,m,1,1,,0", "line 3: output_tokens must be a whole number of at most 18 digits, not ''."),
        ("1,chat,m,1,5,1,9", "line 3: cached_input_tokens (9) cannot exceed input_tokens (5), which includes them."),
        ("1,,m,1,1,1,0", "line 3: application is empty."),
        ("1,\u200b,m,1,1,1,0", "line 3: application is empty."),
        ("1,chat, ,1,1,1,0", "line 3: model is empty."),
        ("1,chat\x07,m,1,1,1,0", "line 3: application may not hold line breaks, tabs or other control characters: "),
        ('1,chat,"m\n",1,1,1,0\n1,"ch\nat",m,1,1,1,0', "line 5: application may not hold line breaks"),
        ("1,chat,m,1", "line 3: 4 columns where the header has 7. The end of it is missing."),
        (
            "1,chat, too,m,1,1,1,0",
            "line 3: 8 columns where the header has 7. A name with a comma needs quotation",
        ),
        ('1,"chat"x,m,1,1,1,0', "line 3: this is not CSV: "),
        ('1,"chat,m,1,1,1,0\n2,chat,m,1,1,1,0', "line 3: this is not CSV: "),
        (
            "2026-11-01T00:00:00Z,chat,m,1,1,1,0",
            "line 3: hour must be a whole number of at most 18 digits, not '2026-11-01T",
        ),
    ],
)
def test_every_mistake_is_told_with_its_line(row: str, sentence: str) -> None:
    with pytest.raises(TraceError) as refusal:
        parse_trace(f"{HEADER},cached_input_tokens\n0,chat,m,1,1,1,0\n{row}\n".splitlines(keepends=True), "trace.csv")
    assert f"trace.csv {sentence}" in str(refusal.value)


def test_many_mistakes_are_told_together_and_not_without_end() -> None:
    with pytest.raises(TraceError) as refusal:
        parse_trace([HEADER, *("x,chat,m,1,1,1" for _ in range(500))])
    told = str(refusal.value).splitlines()
    assert (len(told), told[0][:12], told[-1]) == (21, "trace line 2", "... and more; these come first.")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "line 1: the header has no hour, application, model.* the file is empty"),
        (["", HEADER.replace(",", ";")], "line 2: the header has no hour.* it reads 'hour;application;.* with commas"),
        (["hour,application,model,requests,input_tokens"], "the header has no output_tokens"),
        ([f"{HEADER},hour"], "the header names hour twice"),
        ([HEADER], "there is no row below the header"),
        ([HEADER, "0,a,m,1,1,1", "1764979200,a,m,1,1,1"], "hour counts hours, not seconds or minutes"),
    ],
)
def test_a_file_that_is_no_trace_is_refused_with_a_sentence(lines: list[str], sentence: str) -> None:
    with pytest.raises(TraceError, match=sentence):
        parse_trace(lines)


def test_files_that_cannot_be_read_are_refused_with_a_sentence(tmp_path: Path) -> None:
    broken, damaged, latin = tmp_path / "broken.gz", tmp_path / "damaged.gz", tmp_path / "latin.csv"
    packed = gzip.compress(HEADER.encode())
    broken.write_bytes(packed[:20])
    damaged.write_bytes(packed[:10] + b"\xff" + packed[11:])
    latin.write_bytes(b"hour\ncaf\xe9")
    for path, sentence in (
        (tmp_path / "missing.csv", "cannot be read"),
        (broken, "ends too early"),
        (damaged, "is damaged .*; copy it again"),
        (latin, "line 2: this is not UTF-8"),
    ):
        with pytest.raises(TraceError, match=sentence):
            read_trace(path)


counts = st.integers(min_value=0, max_value=10**12)
rows = st.tuples(
    st.integers(0, 50), st.sampled_from("ab"), st.sampled_from("mn"), counts, counts, counts, st.fractions(0, 1)
)


@settings(deadline=None, max_examples=25)
@given(st.lists(rows, min_size=1, max_size=40))
def test_no_token_of_a_trace_is_lost(written: list[tuple[int, str, str, int, int, int, object]]) -> None:
    lines = [f"{HEADER},cached_input_tokens"]
    expected = [0, 0, 0, 0]
    for hour, application, model, requests, tokens, output, share in written:
        cached = int(tokens * share)  # type: ignore[operator]
        lines.append(f"{hour},{application},{model},{requests},{tokens},{output},{cached}")
        for place, count in enumerate((requests, tokens - cached, cached, output)):
            expected[place] += count
    read = [usage for series in parse_trace(lines).series for usage in series.hours.values()]
    assert [sum(usage[place] for usage in read) for place in range(4)] == expected
