"""What the laboratory says, in the three languages of its readers: Korean stands in the code, the others here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

Words = dict[str, str]
"""One sentence by language: ko, en, ja."""

OTHERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "폭주 ({name})": ("Runaway ({name})", "暴走（{name}）"),
        "폭주 시작": ("Start a runaway", "暴走を開始"),
        "정상으로": ("Back to normal", "通常に戻す"),
        "5분 뒤로": ("5 minutes ahead", "5分進める"),
        "1시간 뒤로": ("1 hour ahead", "1時間進める"),
        "다음 날로 (UTC 자정)": ("To the next day (UTC midnight)", "翌日へ（UTC 0時）"),
        "다음 달로 (한도 초기화)": ("To the next month (limits reset)", "翌月へ（上限のリセット）"),
        "월요일 (성과 기록)": ("Monday (outcomes recorded)", "月曜日（成果の記録）"),
        "프로젝트 창에서 이벤트 토큰을 만들면 그 애플리케이션이 스스로 기록을 시작합니다.": (
            "Make an event token in a project's window, and its application begins to record by itself.",
            "プロジェクトのウィンドウでイベントトークンを作ると、そのアプリケーションが自動で記録を始めます。",
        ),
        "지금 월요일 보내기": ("On to Monday now", "今すぐ月曜日へ"),
        "과거 4주 기록 보내기": ("Send the past 4 weeks", "過去4週間の記録を送る"),
        "가치 이벤트 끄기": ("Switch value events off", "成果イベントを止める"),
        "가치 이벤트 켜기": ("Switch value events on", "成果イベントを始める"),
        "이벤트 토큰 붙여넣기": ("Paste an event token", "イベントトークンを貼り付け"),
        "애플리케이션": ("Application", "アプリケーション"),
        "이벤트 토큰": ("Event token", "イベントトークン"),
        "연결": ("Connect", "接続"),
        "{count}건": ("{count} events", "{count}件"),
        "기록 중": ("recording", "記録中"),
        "꺼짐": ("off", "オフ"),
        "토큰이 해지됨": ("token revoked", "トークンは失効済み"),
        "몇 주 뒤로 (조치와 효과)": ("Weeks ahead (actions and effects)", "数週間進める（対応と効果）"),
        "모델 변경, 캐시 적용, 투표, 폭주 차단이 일어나고, FinOps가 이를 찾아 효과를 확인합니다.": (
            "People change a model, switch a cache on, vote, stop a runaway; FinOps finds it and checks its effect.",
            "モデルの変更、キャッシュの適用、投票、暴走の停止が起こり、FinOpsがそれを見つけて効果を確かめます。",
        ),
        "6주 이상 살아보기 (약 2분)": ("Live for six weeks (about 2 minutes)", "6週間以上過ごす（約2分）"),
        "차단 시험": ("Trying a stop", "停止の試験"),
        "다른 곳에서 한도 변경 ({amount})": ("Limit changed elsewhere ({amount})", "別の場所で上限を変更（{amount}）"),
        "다른 곳에서 한도 삭제": ("Limit removed elsewhere", "別の場所で上限を削除"),
        "차단 후 500 (acted_500)": ("Stops, then answers 500 (acted_500)", "停止後に500（acted_500）"),
        "차단 후 연결 끊김 (acted_drop)": ("Stops, then hangs up (acted_drop)", "停止後に切断（acted_drop）"),
        "차단 요청 3회 500": ("Refuses to stop 3 times (500)", "停止の要求に3回500"),
        "한도 전파 10분": ("Limits bite after 10 minutes", "上限の反映に10分"),
        "한도 전파 1분 (보통)": ("Limits bite after 1 minute (usual)", "上限の反映に1分（通常）"),
        "마케팅팀 Admin 키 (정상)": ("Admin key of 마케팅팀 (good)", "마케팅팀のAdminキー（正常）"),
        "조회 전용 Admin 키": ("Read-only Admin key", "閲覧専用のAdminキー"),
        "다른 조직의 Admin 키": ("Admin key of another organization", "別の組織のAdminキー"),
        "폐기된 Admin 키": ("Revoked Admin key", "失効したAdminキー"),
        "프로젝트 키 (잘못된 종류)": ("Project key (the wrong kind)", "プロジェクトキー（種類違い）"),
        "OpenAI 장애": ("OpenAI in trouble", "OpenAIの障害"),
        "401 · 키 거부": ("401 · key rejected", "401 · キー拒否"),
        "429 · 10회 요청 제한": ("429 · 10 requests limited", "429 · 10回の制限"),
        "500 · 서버 오류": ("500 · server error", "500 · サーバーエラー"),
        "응답 지연 5초": ("Answers 5 seconds late", "応答が5秒遅れる"),
        "중간에 끊긴 응답": ("Answers cut off in the middle", "途中で切れた応答"),
        "형식이 깨진 응답": ("Answers that are no JSON", "形式の壊れた応答"),
        "모두 정상으로": ("All is well again", "すべて通常に戻す"),
        "Slack 장애": ("Slack in trouble", "Slackの障害"),
        "전송 중단 (60초 뒤 메일)": ("No delivery (mail after 60 seconds)", "送信停止（60秒後にメール）"),
        "429 · 전송 제한": ("429 · rate limited", "429 · 送信制限"),
        "{name}: 이 트레이스에 없는 애플리케이션입니다. 있는 것: {others}": (
            "{name}: no such application in this trace; there are: {others}",
            "{name}: このトレースにないアプリケーションです。あるもの: {others}",
        ),
        "{name}: 지금은 호출이 없습니다. '1시간 뒤로' 간 다음 다시 시작하세요.": (
            "{name} asks nothing just now. Move on by an hour, and start it again.",
            "{name}: 今は呼び出しがありません。「1時間進める」の後にもう一度開始してください。",
        ),
        "{name}: 지금 차단되어 있어 늘어난 호출이 429로 거부됩니다. 지출을 보려면 먼저 복구하세요.": (
            "{name} is stopped: its calls are refused with 429. Restore it first to see it spend.",
            "{name}: 停止中のため、増えた呼び出しは429で拒否されます。支出を見るには先に復旧してください。",
        ),
        "{name}: {minutes}분 안에 오늘 {amount}에 이릅니다. '5분 뒤로'를 누르면 바로 볼 수 있습니다.": (
            "{name} reaches {amount} today within {minutes} min. Press “5 minutes ahead” to see it at once.",
            "{name}: {minutes}分以内に本日の支出が{amount}に達します。「5分進める」ですぐに見られます。",
        ),
        "{name}: 오늘 지출이 {amount}입니다. 곧 감지됩니다.": (
            "{name} has spent {amount} today. It will be noticed in a moment.",
            "{name}: 本日の支出は{amount}です。まもなく検知されます。",
        ),
        "{name}: 지금부터 기록합니다.": ("{name} records from now on.", "{name}: 今から記録します。"),
        "과거 4주 기록 {count}건을 보냈습니다.": (
            "Sent {count} events of four weeks.",
            "過去4週間の記録{count}件を送りました。",
        ),
        "이벤트 토큰이 있는 애플리케이션이 없습니다. 프로젝트 창에서 토큰을 먼저 만드세요.": (
            "No application has an event token. Make one in a project's window first.",
            "イベントトークンを持つアプリケーションがありません。先にプロジェクトのウィンドウで作ってください。",
        ),
        "이벤트 토큰은 fin_으로 시작합니다. 프로젝트 창에서 만든 값을 그대로 붙여 넣으세요.": (
            "An event token begins with fin_. Paste it as it was made in the project's window.",
            "イベントトークンはfin_で始まります。プロジェクトのウィンドウで作った値をそのまま貼り付けてください。",
        ),
        "{day}, {count}번째 월요일": ("{day}, Monday {count}", "{day}、{count}回目の月曜日"),
        "호출의 {percent}%를 {model} 모델로 옮깁니다": (
            "{percent} % of the calls go to {model}",
            "呼び出しの{percent}%を{model}に移します",
        ),
        "프롬프트의 {percent}%를 캐시에서 읽습니다": (
            "{percent} % of the prompts come from the cache",
            "プロンプトの{percent}%をキャッシュから読みます",
        ),
        "투표: 다음에는 무엇이 필요할까요?": ("a poll: what is to come next?", "投票: 次に必要なものは?"),
        "API 키를 삭제합니다": ("an API key is deleted", "APIキーを削除します"),
        "투표 1위를 계획에 넣습니다": ("what won the poll is planned", "投票で選ばれたものを計画します"),
        "재시도 루프를 알림에서 차단합니다": (
            "a retry loop, stopped from its alert",
            "リトライループをアラートから停止します",
        ),
        "사용을 종료합니다": ("closed", "終了します"),
        "벌써 시간이 흐르고 있습니다. 끝난 뒤에 다시 누르세요.": (
            "Weeks are passing already. Press it again when they are over.",
            "すでに時間が進んでいます。終わってからもう一度押してください。",
        ),
        "이 무대에는 사람이 없습니다.": ("There are no people on this stage.", "この舞台には人がいません。"),
        "{day}입니다. 그동안 조치 {count}건이 있었습니다. /finops 효과에서 확인하세요.": (
            "It is {day}. {count} things were done meanwhile: see /finops effect.",
            "{day}です。その間に対応が{count}件ありました。/finops 効果 で確認してください。",
        ),
    }
)  # fmt: skip


def words(korean: str, **values: object) -> Words:
    """A sentence in three languages with its values in it. Raises KeyError for one that nobody has translated."""
    english, japanese = OTHERS[korean]
    told = {"ko": korean, "en": english, "ja": japanese}
    return {language: text.format(**values) for language, text in told.items()}


def in_english(say: Callable[[str], None]) -> Callable[[Words], None]:
    """For a terminal, which nobody told a language."""
    return lambda told: say(told["en"])


def said_by(error: Exception) -> str | Words:
    """What an error tells whoever pulled a lever: in three languages when it was made of such words."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, dict) else str(error)
