"""`.venv/bin/python -m locales`: bring the catalogues up to date with the source, and say what has no translation."""

from __future__ import annotations

import sys

from locales import catalogue


def main() -> int:
    """Returns 1 while any language still waits for words."""
    waiting = {language: catalogue.update(language) for language in catalogue.LANGUAGES}
    for language, sentences in waiting.items():
        sys.stdout.writelines(f"{language}: {sentence!r}\n" for sentence in sentences)
    return 1 if any(waiting.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
