"""`/finops price` through signed requests: asked in three languages, answered to whoever asks."""

from __future__ import annotations

from tests.e2e.stages import EMMA, JIHOON, SAKURA, Stage, answer_to, words_of
from tests.e2e.stages import quick_stage as quick_stage


async def test_anybody_may_ask_what_a_model_costs(quick_stage: Stage) -> None:
    """Nothing was used yet; a model of the list; one that nobody knows; and a slip of the command."""
    jihoon, emma, sakura = (quick_stage.slack.person(one) for one in (JIHOON, EMMA, SAKURA))
    assert "사용 기록이 없어" in words_of(await answer_to(quick_stage, jihoon, "/finops 단가"))
    said = words_of(await answer_to(quick_stage, emma, "/finops price gpt-4o-mini"))
    assert "input $0.15 · cached input $0.075 · output $0.60" in said
    assert "genai-prices" in said
    assert "不明" in words_of(await answer_to(quick_stage, sakura, "/finops 単価 gpt-99"))
    assert "/finops price" in words_of(await answer_to(quick_stage, emma, "/finops pirce gpt-4o-mini"))
    assert quick_stage.slack.complaints == []
