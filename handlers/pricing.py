"""The operator's prices: checked before anything is served, opened when usage is first priced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.settings import Settings, SettingsError

if TYPE_CHECKING:
    from providers.price_list import ListPrices


def check(settings: Settings) -> None:
    """Tell the mistakes in the operator's price files before anything is served; they are read again when needed."""
    if settings.prices is None and settings.price_data is None:
        return
    from providers.price_files import PriceFileError, read_price_file  # late: few have such a file

    try:
        if settings.price_data is not None:
            opened(settings)
        elif settings.prices is not None:
            read_price_file(settings.prices)
    except PriceFileError as error:
        raise SettingsError(list(error.mistakes)) from None


def opened(settings: Settings) -> ListPrices:
    """The price list. It is opened when usage is first priced, for it takes as long as half of the start."""
    from providers.price_list import ListPrices  # late, as above

    return ListPrices(settings.prices, settings.price_data)
