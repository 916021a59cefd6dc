// What the page itself says, in the reader's language. What the app says comes from the app.

import { localeOf } from "./world.js";

export const WORDS = {
  ko: {
    channels: "채널", dms: "다이렉트 메시지", apps: "앱", home: "홈", messages: "메시지", you: "나",
    lab: "실험실", labHint: "이 컴퓨터 안의 모의 Slack과 모의 공급자를 움직입니다.", viewAs: "누구로 볼까요?",
    viewingAs: "{name} 님으로 보는 중", switchUser: "사용자 바꾸기", openMenu: "메뉴 열기", closeMenu: "메뉴 닫기",
    writeTo: "{name}에 메시지 보내기", reply: "댓글 달기", send: "보내기", sendHint: "보내기 Enter · 줄바꿈 Shift+Enter",
    thread: "스레드", replies: "댓글 {n}개", replyInThread: "스레드에서 댓글 달기", alsoInChannel: "스레드에 댓글을 남겼습니다",
    onlyYou: "나만 볼 수 있는 메시지", edited: "(편집됨)", app: "앱", today: "오늘", yesterday: "어제", tomorrow: "내일", now: "방금",
    close: "닫기", cancel: "취소", back: "뒤로", submit: "제출", yes: "예", no: "아니요", optional: "(선택 사항)",
    search: "검색", choose: "선택하세요", noResults: "결과가 없습니다", typeMore: "{n}자 이상 입력하세요", loading: "불러오는 중",
    optionsFailed: "목록을 불러오지 못했습니다", retry: "다시 시도", remove: "{name} 지우기",
    required: "필수 입력란입니다", tooShort: "{n}자 이상 입력하세요", tooLong: "{n}자 이하로 입력하세요",
    badEmail: "이메일 주소 형식이 아닙니다", badUrl: "http:// 또는 https://로 시작하는 주소를 입력하세요", badNumber: "숫자를 입력하세요",
    badInteger: "정수를 입력하세요", atLeast: "{n} 이상이어야 합니다", atMost: "{n} 이하여야 합니다",
    unreachable: "연결이 고르지 않습니다. 입력한 내용은 그대로 있습니다.", actionFailed: "앱이 응답하지 않았습니다 ({error})",
    submitFailed: "제출하지 못했습니다 ({error}). 입력한 내용은 그대로 있습니다.", commandFailed: "{command} 명령이 실패했습니다 ({error})",
    lost: "연결이 끊겼습니다. 다시 연결하는 중…", emptyChannel: "{name}의 첫 메시지를 남겨 보세요.", beginning: "{name}의 처음입니다.",
      emptyDm: "{name} 님과 나눈 대화가 여기에 남습니다.", emptyApp: "이 앱과 주고받은 메시지가 여기에 남습니다.",
    emptyHome: "홈 탭을 준비하고 있습니다", emptyHomeHint: "앱이 홈 화면을 보내면 여기에 나타납니다.", notMember: "이 채널의 멤버가 아닙니다",
    noCommandsInThread: "스레드에서는 슬래시 명령을 쓸 수 없습니다.", commands: "명령", copy: "복사", copied: "복사했습니다",
    done: "적용했습니다", sortBy: "{name} 기준 정렬", rowsOf: "{total}행 중 {from}–{to}", previous: "이전", next: "다음",
    chart: "{title} 차트", cannotShow: "표시할 수 없는 블록: {type}", video: "동영상", file: "파일", pickFile: "파일 선택",
    noFile: "선택한 파일 없음",
    pickDate: "날짜 선택", pickTime: "시간 선택", previousMonth: "이전 달", nextMonth: "다음 달", topic: "채널 주제", pending: "대기",
      in_progress: "진행 중", complete: "완료", error: "실패",
    helpful: "도움 됨", notHelpful: "도움 안 됨", delete: "삭제", newMessages: "새 메시지", local: "로컬 워크스페이스", sending: "보내는 중",
      waiting: "{command} 처리 중…",
    connecting: "워크스페이스를 여는 중", cannotConnect: "워크스페이스에 연결하지 못했습니다", external: "외부 이미지는 이 데모에서 불러오지 않습니다",
    menu: "다른 작업",
    traffic: "모의 OpenAI: {name}의 분당 호출", trafficNow: "지난 1분: 성공 {answered}회, 거절 {refused}회", answered: "성공/분", refused: "거절/분",
    traffic_on: "호출 중", traffic_refused: "차단 중", traffic_silent: "호출 없음", perMinute: "분당 {n}회", refusedMinute: "분당 {n}회 거절",
    limit: "한도:", noLimit: "없음", limit_enforcing: "적용 중", limit_inactive: "여유 있음", cents: "{n}센트",
    mailbox: "메일함", noMail: "아직 온 메일이 없습니다", noMailHint: "FinOps가 보낸 메일이 여기에 모입니다. 밖으로 나가는 메일은 없습니다.",
    pickMail: "메일을 고르면 여기에서 읽을 수 있습니다.", mailTo: "받는 사람", mailFrom: "보낸 사람", asHtml: "HTML", asText: "텍스트",
    mailBody: "메일 본문", unreadMail: "읽지 않음",
  },
  ja: {
    channels: "チャンネル", dms: "ダイレクトメッセージ", apps: "アプリ", home: "ホーム", messages: "メッセージ", you: "自分",
    lab: "実験室", labHint: "このマシンの模擬Slackと模擬プロバイダーを操作します。", viewAs: "誰として見ますか？",
    viewingAs: "{name} さんとして表示中", switchUser: "ユーザーを切り替える", openMenu: "メニューを開く", closeMenu: "メニューを閉じる",
    writeTo: "{name} へのメッセージ", reply: "返信する", send: "送信", sendHint: "送信 Enter · 改行 Shift+Enter",
    thread: "スレッド", replies: "{n} 件の返信", replyInThread: "スレッドで返信する", alsoInChannel: "スレッドに返信しました",
    onlyYou: "あなただけに表示されています", edited: "（編集済み）", app: "アプリ", today: "今日", yesterday: "昨日", tomorrow: "明日",
    now: "たった今",
    close: "閉じる", cancel: "キャンセル", back: "戻る", submit: "送信", yes: "はい", no: "いいえ", optional: "（任意）",
    search: "検索", choose: "選択してください", noResults: "見つかりませんでした", typeMore: "{n} 文字以上入力してください", loading: "読み込み中",
    optionsFailed: "一覧を読み込めませんでした", retry: "再試行", remove: "{name} を削除",
    required: "必須項目です", tooShort: "{n} 文字以上で入力してください", tooLong: "{n} 文字以内で入力してください",
    badEmail: "メールアドレスの形式ではありません", badUrl: "http:// または https:// で始まるURLを入力してください", badNumber: "数値を入力してください",
    badInteger: "整数を入力してください", atLeast: "{n} 以上にしてください", atMost: "{n} 以下にしてください",
    unreachable: "接続が不安定です。入力内容はそのまま残っています。", actionFailed: "アプリが応答しませんでした ({error})",
    submitFailed: "送信できませんでした ({error})。入力内容はそのまま残っています。", commandFailed: "{command} コマンドに失敗しました ({error})",
    lost: "接続が切れました。再接続しています…", emptyChannel: "{name} に最初のメッセージを書いてみましょう。", beginning: "{name} のはじまりです。",
      emptyDm: "{name} さんとの会話がここに残ります。", emptyApp: "このアプリとのやり取りがここに残ります。",
    emptyHome: "ホームタブを準備しています", emptyHomeHint: "アプリがホームを送るとここに表示されます。", notMember: "このチャンネルのメンバーではありません",
    noCommandsInThread: "スレッドではスラッシュコマンドを使えません。", commands: "コマンド", copy: "コピー", copied: "コピーしました",
    done: "適用しました", sortBy: "{name} で並べ替え", rowsOf: "{total} 行中 {from}–{to}", previous: "前へ", next: "次へ",
    chart: "{title} のグラフ", cannotShow: "表示できないブロック: {type}", video: "動画", file: "ファイル", pickFile: "ファイルを選択",
      noFile: "ファイルが選択されていません",
    pickDate: "日付を選択", pickTime: "時刻を選択", previousMonth: "前の月", nextMonth: "次の月", topic: "トピック", pending: "待機中",
      in_progress: "進行中", complete: "完了", error: "失敗",
    helpful: "役に立った", notHelpful: "役に立たなかった", delete: "削除", newMessages: "新着メッセージ", local: "ローカルワークスペース",
    sending: "送信中",
      waiting: "{command} を処理中…",
    connecting: "ワークスペースを開いています", cannotConnect: "ワークスペースに接続できませんでした", external: "外部画像はこのデモでは読み込みません", menu: "その他の操作",
    traffic: "模擬OpenAI: {name} の毎分の呼び出し", trafficNow: "直近1分: 成功 {answered} 回、拒否 {refused} 回", answered: "成功/分", refused: "拒否/分",
    traffic_on: "呼び出し中", traffic_refused: "遮断中", traffic_silent: "呼び出しなし", perMinute: "毎分 {n} 回", refusedMinute: "毎分 {n} 回拒否",
    limit: "上限:", noLimit: "なし", limit_enforcing: "適用中", limit_inactive: "余裕あり", cents: "{n} セント",
    mailbox: "メール", noMail: "まだメールは届いていません", noMailHint: "FinOpsが送ったメールがここに集まります。外部には送信されません。",
    pickMail: "メールを選ぶとここで読めます。", mailTo: "宛先", mailFrom: "差出人", asHtml: "HTML", asText: "テキスト",
    mailBody: "メール本文", unreadMail: "未読",
  },
  en: {
    channels: "Channels", dms: "Direct messages", apps: "Apps", home: "Home", messages: "Messages", you: "you",
    lab: "Lab", labHint: "Moves the simulated Slack and the simulated providers on this machine.", viewAs: "View as",
    viewingAs: "Viewing as {name}", switchUser: "Switch person", openMenu: "Open menu", closeMenu: "Close menu",
    writeTo: "Message {name}", reply: "Reply", send: "Send", sendHint: "Enter to send · Shift+Enter for a new line",
    thread: "Thread", replies: "{n} replies", reply1: "1 reply", replyInThread: "Reply in thread",
      alsoInChannel: "replied to a thread",
    onlyYou: "Only visible to you", edited: "(edited)", app: "APP", today: "Today", yesterday: "Yesterday",
    tomorrow: "Tomorrow",
      now: "just now",
    close: "Close", cancel: "Cancel", back: "Back", submit: "Submit", yes: "Yes", no: "No", optional: "(optional)",
    search: "Search", choose: "Choose an option", noResults: "No results", typeMore: "Type at least {n} characters",
      loading: "Loading",
    optionsFailed: "The list could not be loaded", retry: "Try again", remove: "Remove {name}",
    required: "This field is required", tooShort: "Use at least {n} characters",
    tooLong: "Use at most {n} characters",
    badEmail: "This is not an e-mail address", badUrl: "Use an address that starts with http:// or https://",
      badNumber: "Use a number",
    badInteger: "Use a whole number", atLeast: "Use {n} or more", atMost: "Use {n} or less",
    unreachable: "The connection is unsteady. What you typed is still here.",
    actionFailed: "The app did not answer ({error})",
    submitFailed: "Not submitted ({error}). What you typed is still here.",
    commandFailed: "{command} failed ({error})",
    lost: "Connection lost. Reconnecting…", emptyChannel: "Be the first to write in {name}.",
      beginning: "This is where {name} begins.", emptyDm: "Your conversation with {name} will be kept here.",
      emptyApp: "Your messages with this app are kept here.",
    emptyHome: "Home is being prepared", emptyHomeHint: "It appears here as soon as the app publishes it.",
      notMember: "You are not a member of this channel",
    noCommandsInThread: "Slash commands cannot be used in threads.", commands: "Commands", copy: "Copy",
    copied: "Copied",
    done: "Applied", sortBy: "Sort by {name}", rowsOf: "{from}–{to} of {total} rows", previous: "Previous",
    next: "Next",
    chart: "Chart: {title}", cannotShow: "Cannot show this block: {type}", video: "Video", file: "File",
    pickFile: "Choose a file",
      noFile: "No file chosen",
    pickDate: "Pick a date", pickTime: "Pick a time", previousMonth: "Previous month", nextMonth: "Next month",
    topic: "Topic",
      pending: "Waiting", in_progress: "In progress", complete: "Done", error: "Failed",
    helpful: "Helpful", notHelpful: "Not helpful", delete: "Delete", newMessages: "New messages",
    local: "Local workspace",
      sending: "Sending", waiting: "{command} is running…",
    connecting: "Opening the workspace", cannotConnect: "The workspace cannot be reached",
      external: "External images are not loaded in this demo", menu: "More actions",
    traffic: "Simulated OpenAI: calls of {name} a minute", trafficNow: "Last minute: {answered} answered, {refused} refused",
    answered: "answered/min", refused: "refused/min",
    traffic_on: "calling", traffic_refused: "blocked", traffic_silent: "no calls", perMinute: "{n} a minute",
    refusedMinute: "{n} refused a minute", limit: "Limit:", noLimit: "none", limit_enforcing: "enforcing", limit_inactive: "not reached", cents: "{n} cent",
    mailbox: "Mail", noMail: "No mail yet", noMailHint: "What FinOps sends by mail is kept here. Nothing leaves this machine.",
    pickMail: "Choose a mail to read it here.", mailTo: "To", mailFrom: "From", asHtml: "HTML", asText: "Text",
    mailBody: "Mail", unreadMail: "Unread",
  },
};

export const languageOf = (locale) => (/^ko/i.test(locale) ? "ko" : /^ja/i.test(locale) ? "ja" : "en");

/** What the server says in several languages at once ({ko, en, ja}), in the reader's; plain words as they are. */
export const inWords = (told) => (told && typeof told === "object" ? told[languageOf(localeOf())] : told);

/** Say a sentence of the page in the reader's language, with {named} values. */
export function say(key, values = {}) {
  const words = WORDS[languageOf(localeOf())];
  const sentence = (values.n === 1 && key === "replies" && words.reply1) || words[key] || key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

const kept = new Map();

/** How the reader writes numbers of a kind. Made once for each: making one costs more than all it will ever write. */
export function figures(options = {}) {
  const key = `${localeOf()}|${JSON.stringify(options)}`;
  if (!kept.has(key)) kept.set(key, new Intl.NumberFormat(localeOf(), options));
  return kept.get(key);
}
