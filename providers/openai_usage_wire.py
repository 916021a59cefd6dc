"""What OpenAI's usage answers look like: one shape for tokens, one for everything that is counted otherwise.

A count that is null or not told counts as none of that part, so its tokens are priced as part of the whole. Names of
people are dropped while decoding. Counts as `59200.0` are accepted, since exports spell them so; halves are not.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from finops.usage import Endpoint, UsageRow, Width, merged
from providers.contract import UnexpectedResponse
from providers.openai_pages import Bucket, results_of
from providers.openai_wire import decoded

_MEBIBYTE = 2**20
# 1440 minutes of the largest count still add up within 64 bits.
LARGEST_COUNT = 2**50
_Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)] | None
# A family's measure may be null, but it is always told: a row without it belongs to another family.
_Measure = _Count | msgspec.UnsetType
_Name = str | None


class _Tokens(msgspec.Struct, gc=False):
    input_tokens: _Count
    output_tokens: _Count
    project_id: _Name = None
    model: _Name = None
    api_key_id: _Name = None
    service_tier: _Name = None
    batch: bool | None = None
    num_model_requests: _Count = None
    input_cached_tokens: _Count = None
    input_cache_write_tokens: _Count = None
    input_audio_tokens: _Count = None
    input_cached_audio_tokens: _Count = None
    output_audio_tokens: _Count = None
    input_image_tokens: _Count = None
    input_cached_image_tokens: _Count = None
    output_image_tokens: _Count = None


class _Counted(msgspec.Struct, gc=False):
    project_id: _Name = None
    model: _Name = None
    api_key_id: _Name = None
    num_model_requests: _Count = None
    input_tokens: _Measure = msgspec.UNSET
    images: _Measure = msgspec.UNSET
    characters: _Measure = msgspec.UNSET
    seconds: _Measure = msgspec.UNSET
    usage_bytes: _Measure = msgspec.UNSET
    num_sessions: _Measure = msgspec.UNSET
    num_requests: _Measure = msgspec.UNSET


# Not strict: exports spell counts as 59200.0 or "59200". Halves and words are refused all the same.
_TOKENS = msgspec.json.Decoder(list[_Tokens] | None, strict=False)
_COUNTED = msgspec.json.Decoder(list[_Counted] | None, strict=False)

_CALLER = ("project_id", "api_key_id")
GROUPINGS: dict[Endpoint, tuple[str, ...]] = {
    Endpoint.COMPLETIONS: (*_CALLER, "model", "batch", "service_tier"),
    Endpoint.EMBEDDINGS: (*_CALLER, "model"),
    Endpoint.MODERATIONS: (*_CALLER, "model"),
    Endpoint.IMAGES: (*_CALLER, "model"),
    Endpoint.AUDIO_SPEECHES: (*_CALLER, "model"),
    Endpoint.AUDIO_TRANSCRIPTIONS: (*_CALLER, "model"),
    Endpoint.VECTOR_STORES: ("project_id",),
    Endpoint.CODE_INTERPRETER_SESSIONS: ("project_id",),
    Endpoint.FILE_SEARCH_CALLS: _CALLER,
    Endpoint.WEB_SEARCH_CALLS: (*_CALLER, "model"),
}
# What each family counts instead of tokens; the others have tokens as their measure.
_QUANTITIES = {
    Endpoint.IMAGES: "images",
    Endpoint.AUDIO_SPEECHES: "characters",
    Endpoint.AUDIO_TRANSCRIPTIONS: "seconds",
    Endpoint.VECTOR_STORES: "usage_bytes",
    Endpoint.CODE_INTERPRETER_SESSIONS: "num_sessions",
    Endpoint.FILE_SEARCH_CALLS: "num_requests",
    Endpoint.WEB_SEARCH_CALLS: "num_requests",
}


def rows_of(
    bucket: Bucket, endpoint: Endpoint, width: Width, start: int, pointer: str, reference: str | None
) -> tuple[UsageRow, ...]:
    """The rows of one bucket, each group once; all of them or none.

    Groups told twice add up: a hidden dimension of the provider's tells them apart.
    """
    raw = results_of(bucket, pointer, reference)
    if endpoint is Endpoint.COMPLETIONS:
        found = decoded(_TOKENS, raw, f"{pointer}/results", reference) or []
        return tuple(merged(_token_rows(found, start)))
    others = decoded(_COUNTED, raw, f"{pointer}/results", reference) or []
    return tuple(merged(_counted_rows(others, endpoint, width, start, f"{pointer}/results", reference)))


def _token_rows(found: list[_Tokens], start: int) -> list[UsageRow]:
    rows: list[UsageRow] = []
    add, new, endpoint = rows.append, tuple.__new__, Endpoint.COMPLETIONS.value
    for one in found:
        if one.input_tokens is None and one.output_tokens is None and one.num_model_requests is None:
            continue  # a blank row stands for "nothing to tell", as in the exports
        add(
            # UsageRow(...) itself takes twice as long, and this happens for every row ever read.
            new(
                UsageRow,
                (
                    start,
                    endpoint,
                    one.project_id or "",
                    one.model or "",
                    one.api_key_id or "",
                    one.service_tier or "",
                    one.batch is True,
                    one.num_model_requests or 0,
                    one.input_tokens or 0,
                    one.input_cached_tokens or 0,
                    one.input_cache_write_tokens or 0,
                    one.output_tokens or 0,
                    one.input_audio_tokens or 0,
                    one.input_cached_audio_tokens or 0,
                    one.output_audio_tokens or 0,
                    one.input_image_tokens or 0,
                    one.input_cached_image_tokens or 0,
                    one.output_image_tokens or 0,
                    0,
                ),
            )
        )
    return rows


def _counted_rows(
    found: list[_Counted], endpoint: Endpoint, width: Width, start: int, pointer: str, reference: str | None
) -> list[UsageRow]:
    measure = _QUANTITIES.get(endpoint, "input_tokens")
    has_tokens = endpoint not in _QUANTITIES
    rows: list[UsageRow] = []
    for index, one in enumerate(found):
        measured: int | msgspec.UnsetType | None = getattr(one, measure)
        if isinstance(measured, msgspec.UnsetType):
            where = f"{pointer}/{index}/{measure}"
            raise UnexpectedResponse("a row without its measure", pointer=where, reference=reference)
        if measured is None and one.num_model_requests is None:
            continue
        quantity = 0 if has_tokens else measured or 0
        if endpoint is Endpoint.VECTOR_STORES:
            quantity = quantity * width // _MEBIBYTE
        rows.append(
            UsageRow(
                start,
                endpoint.value,
                one.project_id or "",
                one.model or "",
                one.api_key_id or "",
                service_tier="",
                is_batch=False,
                requests=one.num_model_requests or 0,
                input_tokens=measured or 0 if has_tokens else 0,
                quantity=quantity,
            )
        )
    return rows
