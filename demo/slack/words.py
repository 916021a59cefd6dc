"""Slack's own words to a person, in the languages of the cast."""

from __future__ import annotations

_WORDS = {
    "ko": {
        "operation_timeout": '앱이 응답하지 않았습니다. {what}에 "operation_timeout" 오류가 발생했습니다.',
        "dispatch_failed": '{what}에 "dispatch_failed" 오류가 발생했습니다. 앱에 연결할 수 없습니다.',
        "other": '{what}에 "{error}" 오류가 발생했습니다.',
        "submit": "연결하는 데 문제가 있습니다. 다시 시도하세요.",
        "options": "결과를 불러오지 못했습니다.",
        "required": "이 필드는 필수 항목입니다.",
        "long": "{most}자 이하로 입력하세요.",
        "short": "{least}자 이상 입력하세요.",
        "email": "올바른 이메일 주소를 입력하세요.",
        "url": "올바른 URL을 입력하세요.",
        "number": "올바른 숫자를 입력하세요.",
        "unknown_command": "{what}은(는) 올바른 명령이 아닙니다.",
        "button": "버튼",
        "choice": "선택 항목이 목록에 없습니다.",
    },
    "ja": {
        "operation_timeout": "アプリが応答しませんでした。{what}は「operation_timeout」エラーで失敗しました。",
        "dispatch_failed": "{what}は「dispatch_failed」エラーで失敗しました。アプリに接続できません。",
        "other": "{what}は「{error}」エラーで失敗しました。",
        "submit": "接続に問題が発生しました。もう一度お試しください。",
        "options": "結果を読み込めませんでした。",
        "required": "このフィールドは必須です。",
        "long": "{most}文字以内で入力してください。",
        "short": "{least}文字以上で入力してください。",
        "email": "有効なメールアドレスを入力してください。",
        "url": "有効なURLを入力してください。",
        "number": "有効な数字を入力してください。",
        "unknown_command": "{what}は有効なコマンドではありません。",
        "button": "ボタン",
        "choice": "選択肢にない項目です。",
    },
    "en": {
        "operation_timeout": 'The app did not respond. {what} failed with the error "operation_timeout".',
        "dispatch_failed": '{what} failed with the error "dispatch_failed". The app cannot be reached.',
        "other": '{what} failed with the error "{error}".',
        "submit": "We had some trouble connecting. Try again?",
        "options": "We could not load the results.",
        "required": "Please complete this required field.",
        "long": "Please use {most} characters or fewer.",
        "short": "Please use at least {least} characters.",
        "email": "Please enter a valid email address.",
        "url": "Please enter a valid URL.",
        "number": "Please enter a valid number.",
        "unknown_command": "{what} is not a valid command.",
        "button": "The button",
        "choice": "That choice is not on the list.",
    },
}


def say(locale: str, key: str, **values: object) -> str:
    """One of Slack's sentences in a person's language, English where there is none."""
    table = _WORDS.get(locale.split("-")[0], _WORDS["en"])
    return table[key].format(**values)


def failure(locale: str, what: str, error: str) -> str:
    """What a person is told when the app did not answer as it should have."""
    key = error if error in ("operation_timeout", "dispatch_failed") else "other"
    return say(locale, key, what=what, error=error)
