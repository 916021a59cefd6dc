"""HTML for mail: tables and inline styles that every reader draws, light and dark, wide and narrow; words escaped.

Outlook knows no flexbox and drops what it does not know; phones are 390 pixels wide; Gmail clips a mail after 102 KB;
no picture is fetched from anywhere. So: one column, tables for what must stand side by side, bars made of cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import Final

from blocks.kit import width

# What is ready to be put into a mail. Whatever takes words takes them as they were typed, and escapes them.
Html = str

_FONTS: Final = {
    "ko": "'Apple SD Gothic Neo','Malgun Gothic','Noto Sans KR',",
    "ja": "'Hiragino Sans','Yu Gothic','Noto Sans JP',Meiryo,",
}
# Facts stand in one line, parted by this; one that is at most so wide is never broken (390 pixels hold about 50).
_DOT, _UNBROKEN = " · ", 44
_INK, _DIM, _LINE = "#1f2937", "#4b5563", "#e5e7eb"
ACCENT, GOOD, POOR, OPEN, BEFORE = "#2563eb", "#15803d", "#c2410c", "#9ca3af", "#bfcbe0"
# A reader in the dark: every colour that stands in a style is told again by class.
_DARK: Final = """
:root{color-scheme:light dark;supported-color-schemes:light dark}
body{margin:0;padding:0;-webkit-text-size-adjust:100%}
a{text-decoration:none}
@media (max-width:480px){.card{border-radius:0!important;border-left:0!important;border-right:0!important}
.pad{padding-left:18px!important;padding-right:18px!important}.outer{padding:0!important}}
@media (prefers-color-scheme:dark){.page{background:#0f1520!important}.card{background:#19212e!important;
border-color:#2b3646!important}.ink{color:#f1f4f8!important}.dim{color:#b9c4d3!important}
.line{border-color:#2b3646!important}.tint{background:#202b3c!important}.bar{background:#6d9bff!important}.good{color:#4ade80!important}
.poor{color:#fdba74!important}.accent{color:#93b4ff!important}.before{background:#52627a!important}
.open{background:#64748b!important}}
"""


def text(words: str) -> Html:
    """Words that nothing interprets, wherever they stand; a line break stays one."""
    return escape(words, quote=True).replace("\n", "<br>")


def page(language: str, title: str, preview: str, body: Iterable[Html]) -> Html:
    """A whole mail. `preview` is what a list of mails shows beside the subject."""
    font = f"{_FONTS.get(language, '')}-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
    # Korean is broken between words, like English; a name without a space may break anywhere.
    wrap = "word-break:keep-all;overflow-wrap:anywhere" if language == "ko" else "overflow-wrap:anywhere"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{text(title)}</title><style>{_DARK}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#eef1f5;font-family:{font};{wrap}">'
        f'<div style="display:none;max-height:0;overflow:hidden;opacity:0">{text(preview)}</div>'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td class="outer" align="center" style="padding:24px 12px">'
        '<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="max-width:640px;background:#ffffff;border:1px solid {_LINE};border-radius:14px">'
        f"{''.join(body)}</table></td></tr></table></body></html>"
    )


def row(inner: Html, *, top: int = 18, bottom: int = 0) -> Html:
    """One part of the mail below the others."""
    return f'<tr><td class="pad" style="padding:{top}px 32px {bottom}px">{inner}</td></tr>'


def heading(words: str) -> Html:
    return (
        f'<h2 class="ink" style="margin:0 0 10px;font-size:16px;line-height:1.4;font-weight:700;color:{_INK}">'
        f"{text(words)}</h2>"
    )


def paragraph(inner: Html, *, size: int = 14, is_dim: bool = False, is_bold: bool = False, gap: int = 0) -> Html:
    """A paragraph of ready HTML."""
    colour, name = (_DIM, "dim") if is_dim else (_INK, "ink")
    weight = "font-weight:700;" if is_bold else ""
    return (
        f'<p class="{name}" style="margin:0 0 {gap}px;font-size:{size}px;line-height:1.55;{weight}color:{colour}">'
        f"{inner}</p>"
    )


def small(words: str) -> Html:
    return paragraph(facts(words), size=12, is_dim=True, gap=4)


def coloured(words: str, colour: str, name: str) -> Html:
    """Words in a colour that is told again for the dark."""
    return f'<span class="{name}" style="color:{colour};font-weight:700">{text(words)}</span>'


def table(inner: Iterable[Html]) -> Html:
    """Cells side by side, as wide as the mail."""
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="border-collapse:collapse">{"".join(inner)}</table>'
    )


def entry(left: Html, right: Html, below: Sequence[Html], *, is_first: bool) -> Html:
    """What it is and how much, the amount at the right edge, and lines as wide as the mail below both."""
    rule = "" if is_first else f"border-top:1px solid {_LINE};"
    edge = f'class="line" style="{rule}vertical-align:top;'
    lines = f'<tr><td colspan="2" style="padding:2px 0 10px">{"".join(below)}</td></tr>' if below else ""
    end = 2 if below else 8
    return (
        f'<tr><td {edge}padding:10px 12px {end}px 0">{left}</td>'
        f'<td align="right" {edge}padding:10px 0 {end}px;text-align:right">{right}</td></tr>{lines}'
    )


def amount(words: str, note: str = "", *, size: int = 15, is_stacked: bool = False) -> Html:
    """An amount for the right edge: figures of one width, never broken; beside or below it how it moved."""
    gap = "<br>" if is_stacked else "&ensp;"
    told = f'{gap}<span class="dim" style="font-size:12px;font-weight:400;color:{_DIM}">{text(note)}</span>'
    return (
        f'<span class="ink" style="white-space:nowrap;font-size:{size}px;line-height:1.5;font-weight:700;color:{_INK};'
        f'font-variant-numeric:tabular-nums">{text(words)}{told if note else ""}</span>'
    )


def facts(words: str) -> Html:
    """Facts in one line, parted by middle dots: a line breaks between them, and within one only if it is long."""
    parts = words.split(_DOT)
    ends = [f"{part} ·" for part in parts[:-1]] + parts[-1:]
    return " ".join(
        f'<span style="white-space:nowrap">{text(part)}</span>' if width(part) <= _UNBROKEN else text(part)
        for part in ends
    )


def tiles(figures: Sequence[tuple[str, str]]) -> Html:
    """A few figures side by side, each above its name."""
    width = 100 // max(1, len(figures))
    cells = (
        f'<td width="{width}%" style="vertical-align:top;padding:0 12px 0 0">'
        f'<span class="ink" style="font-size:19px;line-height:1.4;font-weight:700;color:{_INK};white-space:nowrap;'
        f'font-variant-numeric:tabular-nums">{text(figure)}</span><br>'
        f'<span class="dim" style="font-size:12px;line-height:1.4;color:{_DIM}">{text(name)}</span></td>'
        for name, figure in figures
    )
    return table([f"<tr>{''.join(cells)}</tr>"])


def stack(parts: Sequence[tuple[Decimal, str, str]]) -> Html:
    """One bar of several shares (0 to 1) of a whole, each with its colour and its class in the dark."""
    shown = [(share, colour, name) for share, colour, name in parts if share > 0]
    cells = (
        f'<td class="{name}" width="{max(1, round(share * 100))}%" height="12" bgcolor="{colour}" '
        f'style="background:{colour};height:12px;line-height:12px;font-size:1px">&nbsp;</td>'
        for share, colour, name in shown
    )
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="border-radius:6px;overflow:hidden;margin:0 0 8px"><tr>{"".join(cells)}</tr></table>'
    )


def bar(share: Decimal, colour: str, *, height: int = 10, name: str = "bar") -> Html:
    """A bar as long as its share (0 to 1) of the room there is; what is nothing has none."""
    if share <= 0:
        return f'<div style="height:{height}px;line-height:{height}px;font-size:1px">&nbsp;</div>'
    return (
        f'<table role="presentation" width="{max(1, min(100, round(share * 100)))}%" cellpadding="0" cellspacing="0" '
        f'border="0"><tr><td class="{name}" height="{height}" bgcolor="{colour}" style="background:{colour};'
        f'height:{height}px;line-height:{height}px;font-size:1px;border-radius:3px">&nbsp;</td></tr></table>'
    )


def measured(label: str, bars: Html, figure: str, note: str = "") -> Html:
    """A row of a picture: label, bars, figure."""
    told = f'<br><span class="dim" style="font-size:11px;color:{_DIM}">{text(note)}</span>' if note else ""
    return (
        f'<tr><td class="dim" style="padding:4px 10px 4px 0;font-size:12px;line-height:1.3;white-space:nowrap;'
        f'color:{_DIM}">{text(label)}</td><td width="100%" style="padding:4px 0">{bars}</td>'
        f'<td class="ink" align="right" style="padding:4px 0 4px 10px;font-size:12px;line-height:1.3;'
        f'white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums;color:{_INK}">{text(figure)}{told}</td></tr>'
    )


def callout(inner: Iterable[Html]) -> Html:
    """What must not be overlooked: tinted, with an edge."""
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        f'<td class="tint" style="background:#eef4ff;border-left:4px solid {ACCENT};border-radius:6px;'
        f'padding:14px 16px">{"".join(inner)}</td></tr></table>'
    )


def button(words: str, link: str) -> Html:
    """A link that looks like a button, also where styles are dropped."""
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:10px 0 0"><tr>'
        f'<td bgcolor="{ACCENT}" style="background:{ACCENT};border-radius:8px">'
        f'<a href="{text(link)}" style="display:inline-block;padding:10px 18px;font-size:14px;font-weight:700;'
        f'color:#ffffff">{text(words)}</a></td></tr></table>'
    )
