"""Arguments that several commands take, with their checks."""

from datetime import date

import click

from app.domain.nip import Nip, NotANip, read_nip


class NipArgument(click.ParamType[Nip]):
    """A NIP in any spelling that the pages accept too."""

    name = "nip"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Nip:
        nip = read_nip(str(value))
        if isinstance(nip, NotANip):
            self.fail(nip.sentence, param, ctx)
        return nip


class DayOption(click.ParamType[date]):
    """A day as 2026-12-31."""

    name = "yyyy-mm-dd"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} bukan tanggal. Tulis seperti 2026-12-31.", param, ctx)


NIP = NipArgument()
DAY = DayOption()
